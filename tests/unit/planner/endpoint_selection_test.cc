// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/planner/selecting.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Conditions, OnlyReadyEndpointsTakeTraffic) {
  const auto selection = Select({MakeSlice(
      "web-1", {Ready("10.0.0.1"), NotReady("10.0.0.2"), Leaving("10.0.0.3"), Gone("10.0.0.4")})});
  EXPECT_THAT(ClusterFates(selection),
              ElementsAre(Fate::kSelected, Fate::kNotReady, Fate::kTerminating, Fate::kNotReady));
}

TEST(Conditions, WhenNobodyIsReadyThoseThatLeaveStillServe) {
  const auto selection =
      Select({MakeSlice("web-1", {NotReady("10.0.0.2"), Leaving("10.0.0.3"), Gone("10.0.0.4")})});
  EXPECT_THAT(ClusterFates(selection),
              ElementsAre(Fate::kNotReady, Fate::kSelectedTerminating, Fate::kNotReady));
  EXPECT_TRUE(selection.any_usable);
}

TEST(Conditions, AServingEndpointThatIsNeitherReadyNorTerminatingIsNotUsed) {
  Endpoint endpoint = NotReady("10.0.0.1");
  endpoint.serving = true;
  const auto selection = Select({MakeSlice("web-1", {endpoint})});
  EXPECT_THAT(ClusterFates(selection), ElementsAre(Fate::kNotReady));
  EXPECT_FALSE(selection.any_usable);
}

TEST(Conditions, AReadyEndpointIsUsedThoughItTerminates) {  // publishNotReadyAddresses
  Endpoint endpoint = Gone("10.0.0.1");
  endpoint.ready = true;
  EXPECT_THAT(ClusterFates(Select({MakeSlice("web-1", {endpoint})})), ElementsAre(Fate::kSelected));
}

TEST(Conditions, NoEndpointsMeanNobodyIsUsable) {
  EXPECT_FALSE(Select({}).any_usable);
  EXPECT_FALSE(Select({MakeSlice("web-1", {})}).any_usable);
  EXPECT_FALSE(Select({MakeSlice("web-1", {NotReady("10.0.0.1"), Gone("10.0.0.2")})}).any_usable);
}

TEST(LocalList, StaysOnTheNode) {
  const auto selection = Select(
      {MakeSlice("web-1",
                 {Ready("10.0.0.1", "node-a"), Ready("10.0.0.2", "node-b"), Ready("10.0.0.3")})},
      kLocalList);
  EXPECT_THAT(LocalFates(selection), ElementsAre(Fate::kSelected, Fate::kRemote, Fate::kRemote));
  EXPECT_THAT(ClusterFates(selection),
              ElementsAre(Fate::kListUnused, Fate::kListUnused, Fate::kListUnused));
}

TEST(LocalList, FallsBackToLeavingEndpointsOfTheNodeThoughOthersAreReadyElsewhere) {
  const auto selection =
      Select({MakeSlice("web-1", {Leaving("10.0.0.1", "node-a"), Ready("10.0.0.2", "node-b")})},
             kBothLists);
  EXPECT_THAT(LocalList(selection), ElementsAre("10.0.0.1:8080"));
  EXPECT_THAT(ClusterList(selection), ElementsAre("10.0.0.2:8080"));
}

TEST(LocalList, NeverLeavesTheNodeEvenWhenItIsEmpty) {
  const auto selection =
      Select({MakeSlice("web-1", {NotReady("10.0.0.1", "node-a"), Ready("10.0.0.2", "node-b"),
                                  Leaving("10.0.0.3", "node-b")})},
             kLocalList);
  EXPECT_THAT(LocalList(selection), IsEmpty());
  EXPECT_TRUE(selection.any_usable);  // which tells a drop from a refusal
}

TEST(LocalList, IgnoresHints) {
  const auto selection =
      Select({MakeSlice("web-1", {ForZones(Ready("10.0.0.1", "node-a"), {"zone-b"}),
                                  ForZones(Ready("10.0.0.2", "node-b"), {"zone-a"})})},
             kBothLists);
  EXPECT_THAT(LocalList(selection), ElementsAre("10.0.0.1:8080"));
  EXPECT_THAT(ClusterList(selection), ElementsAre("10.0.0.2:8080"));
}

TEST(LocalList, TakesANodeNameLiterally) {
  const auto selection = Select({MakeSlice("web-1", {Ready("10.0.0.1", "Node-A")})}, kLocalList);
  EXPECT_THAT(LocalList(selection), IsEmpty());
}

TEST(LocalList, IsEmptyOnANodeWithoutAName) {
  const auto selection = Select({MakeSlice("web-1", {Ready("10.0.0.1")})}, kLocalList, {});
  EXPECT_THAT(LocalList(selection), IsEmpty());
}

Service NodePortService() {
  Service service = MakeService("web", {"10.96.0.1"});
  service.type = ServiceType::kNodePort;
  service.ports[0].node_port = 30080;
  return service;
}

TEST(Policies, AClusterIpUsesTheListOfItsInternalPolicy) {
  Service service = MakeService("web", {"10.96.0.1"});
  EXPECT_EQ(ListsUsedBy(service, service.ports[0]), kClusterList);
  service.internal_policy = TrafficPolicy::kLocal;
  EXPECT_EQ(ListsUsedBy(service, service.ports[0]), kLocalList);
}

TEST(Policies, APortThatIsReachedFromOutsideNeedsTheClusterList) {
  Service service = NodePortService();
  service.internal_policy = TrafficPolicy::kLocal;
  EXPECT_EQ(ListsUsedBy(service, service.ports[0]), kBothLists);
  service.ports[0].node_port = 0;
  service.load_balancer_ips = {Ip("192.0.2.1")};
  EXPECT_EQ(ListsUsedBy(service, service.ports[0]), kBothLists);
  service.load_balancer_ips.clear();
  service.external_ips = {Ip("192.0.2.1")};
  EXPECT_EQ(ListsUsedBy(service, service.ports[0]), kBothLists);
}

TEST(Policies, AnExternalPolicyLocalNeedsBothLists) {
  Service service = NodePortService();
  EXPECT_EQ(ListsUsedBy(service, service.ports[0]), kClusterList);
  service.external_policy = TrafficPolicy::kLocal;
  EXPECT_EQ(ListsUsedBy(service, service.ports[0]), kBothLists);
}

TEST(Policies, AnExternalPolicyOfAServiceThatNobodyReachesFromOutsideMeansNothing) {
  Service service = NodePortService();
  service.external_policy = TrafficPolicy::kLocal;
  service.ports[0].node_port = 0;
  EXPECT_EQ(ListsUsedBy(service, service.ports[0]), kClusterList);
  service.type = ServiceType::kClusterIp;  // with a left-over ingress address
  service.load_balancer_ips = {Ip("192.0.2.1")};
  EXPECT_EQ(ListsUsedBy(service, service.ports[0]), kClusterList);
}

TEST(FateText, SaysSomethingElseForEachFate) {
  std::set<std::string_view> texts;
  for (int fate = 0; fate <= static_cast<int>(Fate::kWrongFamily); ++fate) {
    texts.insert(FateText(static_cast<Fate>(fate)));
  }
  EXPECT_EQ(texts.size(), static_cast<size_t>(Fate::kWrongFamily) + 1);
  EXPECT_EQ(texts.count(""), 0u);
}

}  // namespace
}  // namespace shunt
