// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/scenario/scenario.h"

namespace shunt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string ErrorOf(const std::string& text) {
  return std::string(ParseScenario("a.scenario", text).status().message());
}

TEST(ScenarioLanguage, AMistakeIsNamedWithFileAndLine) {
  EXPECT_THAT(ErrorOf("service shop/web 10.96.0.10:80\nservise x"), HasSubstr("a.scenario:2: "));
  EXPECT_THAT(ErrorOf("service web 10.96.0.10:80"), HasSubstr("not NAMESPACE/NAME"));
  EXPECT_THAT(ErrorOf("service shop/web 10.96.0.10:80/XTP"), HasSubstr("XTP"));
  EXPECT_THAT(ErrorOf("endpoint shop/web http:80/TCP"), HasSubstr("address"));
  EXPECT_THAT(ErrorOf("--- traffic\npod 10.0.0.1 -> 10.0.0.2:80"), HasSubstr("a.scenario:2: "));
  EXPECT_THAT(ErrorOf("--- traffic\npod 10.0.0.1 -> [fd00::1]:80 => DIRECT"), HasSubstr("family"));
  EXPECT_THAT(ErrorOf("--- traffic\npod 10.0.0.1 -> 10.0.0.2:80 connected => DIRECT"),
              HasSubstr("other protocol"));
  EXPECT_THAT(ErrorOf("remove service shop/web"), HasSubstr("no Service shop/web"));
  EXPECT_THAT(ErrorOf("--- trafic"), HasSubstr("a section is"));
}

TEST(ScenarioLanguage, AServiceHasItsAddressesAndPortsOnce) {
  absl::StatusOr<Scenario> scenario =
      ParseScenario("a", "service shop/web 10.96.0.10 fd00::10 http:80 https:443/TCP age=5");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const Service& service = *scenario->steps[0].cluster.services.begin()->second.service;
  EXPECT_THAT(service.cluster_ips, SizeIs(2));
  EXPECT_THAT(service.ports, ElementsAre(ServicePort{"http", SHUNT_TCP, 80, 0},
                                         ServicePort{"https", SHUNT_TCP, 443, 0}));
}

TEST(ScenarioLanguage, EndpointsWithTheSamePortsShareASlice) {
  absl::StatusOr<Scenario> scenario = ParseScenario("a",
                                                    "service shop/web 10.96.0.10:80\n"
                                                    "endpoint shop/web 10.244.1.1:8080\n"
                                                    "endpoint shop/web 10.244.1.2:8080 not-ready\n"
                                                    "endpoint shop/web 10.244.1.3:9090\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const ServiceInput& input = scenario->steps[0].cluster.services.begin()->second;
  ASSERT_THAT(input.slices, SizeIs(2));
  EXPECT_THAT(input.slices[0]->endpoints, SizeIs(2));
  EXPECT_FALSE(input.slices[0]->endpoints[1].ready);
}

TEST(ScenarioLanguage, OnlyWhatAChangeTouchesIsDifferent) {
  absl::StatusOr<Scenario> scenario = ParseScenario("a",
                                                    "service shop/web 10.96.0.10:80\n"
                                                    "service shop/api 10.96.0.11:80\n"
                                                    "service shop/old 10.96.0.12:80\n"
                                                    "--- change\n"
                                                    "remove service shop/old\n"
                                                    "endpoint shop/web 10.244.1.1:8080\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const ClusterChanges changes = Difference(scenario->steps[0].cluster, scenario->steps[1].cluster);
  EXPECT_THAT(changes.services, SizeIs(2));
  EXPECT_EQ(changes.services.at({"shop", "old"}).service, nullptr);
  EXPECT_NE(changes.services.at({"shop", "web"}).service, nullptr);
  EXPECT_FALSE(changes.node_changed);
}

}  // namespace
}  // namespace shunt::testing
