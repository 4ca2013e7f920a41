// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/plan_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "shunt/limits.h"
#include "tests/unit/planner/cluster_builder.h"
#include "userspace/state/dump.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const NodeContext kNode{.name = "node-a", .zone = "zone-a"};

// The frontends and where they lead, as people see them.
std::string DumpOf(const ServicePlan& plan) { return Dump(plan.ports); }

std::vector<std::string> Texts(const Problems& problems) {
  std::vector<std::string> texts;
  for (const Problem& problem : problems) {
    texts.push_back(absl::StrCat(problem.object, "|", problem.field, "|", problem.message));
  }
  return texts;
}

TEST(PlanService, LeadsAClusterIpToTheReadyEndpoints) {
  const ServicePlan plan = PlanService(
      Input(MakeService("web", {"10.96.0.1"}),
            {MakeSlice("web-1", {Ready("10.0.0.2"), Ready("10.0.0.1"), Gone("10.0.0.3")})}),
      kNode);
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_EQ(DumpOf(plan),
            "FRONTEND           SERVICE    BACKEND         NOTE\n"
            "10.96.0.1:80/TCP   shop/web   10.0.0.1:8080\n"
            "10.96.0.1:80/TCP   shop/web   10.0.0.2:8080\n");
}

TEST(PlanService, LeadsEachFamilyOfADualStackServiceToItsOwnEndpoints) {
  const ServicePlan plan = PlanService(
      Input(MakeService("web", {"fd00:96::1", "10.96.0.1"}),
            {MakeSlice("web-4", {Ready("10.0.0.1")}), MakeSlice("web-6", {Ready("fd00::1")})}),
      kNode);
  EXPECT_EQ(DumpOf(plan),
            "FRONTEND              SERVICE    BACKEND          NOTE\n"
            "10.96.0.1:80/TCP      shop/web   10.0.0.1:8080\n"
            "[fd00:96::1]:80/TCP   shop/web   [fd00::1]:8080\n");
}

TEST(PlanService, KeepsBackendsSortedWhateverTheirFamily) {
  const ServicePlan plan = PlanService(
      Input(MakeService("web", {"fd00:96::1", "10.96.0.1"}),
            {MakeSlice("web-4", {Ready("10.0.0.1")}), MakeSlice("web-6", {Ready("::2:0:1")})}),
      kNode);
  const auto& backends = plan.ports.begin()->second->backends;
  EXPECT_TRUE(std::is_sorted(backends.begin(), backends.end()));
  EXPECT_THAT(backends, SizeIs(2));
}

TEST(PlanService, PlansNoBackendOfAFamilyThatTheServiceDoesNotHave) {
  const ServicePlan plan = PlanService(
      Input(MakeService("web", {"10.96.0.1"}),
            {MakeSlice("web-4", {Ready("10.0.0.1")}), MakeSlice("web-6", {Ready("fd00::1")})}),
      kNode);
  EXPECT_THAT(plan.ports.begin()->second->backends, SizeIs(1));
}

TEST(PlanService, KeepsPortsOfOneNumberApartByProtocol) {
  Service service = MakeService("dns", {"10.96.0.10"});
  service.ports = {{.name = "dns", .protocol = SHUNT_UDP, .port = 53},
                   {.name = "dns-tcp", .protocol = SHUNT_TCP, .port = 53},
                   {.name = "dns-sctp", .protocol = SHUNT_SCTP, .port = 53}};
  auto slice = MakeSlice("dns-1", {Ready("10.0.0.1")});
  slice->ports = {{.name = "dns", .protocol = SHUNT_UDP, .port = 53},
                  {.name = "dns-tcp", .protocol = SHUNT_TCP, .port = 5300}};
  EXPECT_EQ(DumpOf(PlanService(Input(service, {slice}), kNode)),
            "FRONTEND             SERVICE             BACKEND         NOTE\n"
            "10.96.0.10:53/TCP    shop/dns:dns-tcp    10.0.0.1:5300\n"
            "10.96.0.10:53/UDP    shop/dns:dns        10.0.0.1:53\n"
            "10.96.0.10:53/SCTP   shop/dns:dns-sctp   -               "
            "refused (not seen at the socket)\n");
}

TEST(PlanService, RefusesWhereNobodyIsUsable) {
  EXPECT_EQ(DumpOf(PlanService(Input(MakeService("web", {"10.96.0.1"})), kNode)),
            "FRONTEND           SERVICE    BACKEND   NOTE\n"
            "10.96.0.1:80/TCP   shop/web   -         refused\n");
}

TEST(PlanService, AnInternalPolicyLocalStaysOnTheNode) {
  Service service = MakeService("web", {"10.96.0.1"});
  service.internal_policy = TrafficPolicy::kLocal;
  const auto slice = MakeSlice("web-1", {Ready("10.0.0.1", "node-a"), Gone("10.0.0.2", "node-a")});
  EXPECT_EQ(DumpOf(PlanService(Input(service, {slice}), kNode)),
            "FRONTEND           SERVICE    BACKEND         NOTE\n"
            "10.96.0.1:80/TCP   shop/web   10.0.0.1:8080\n");
}

TEST(PlanService, ABackendThatLeavesKeepsTheFlowsThatItHas) {
  Endpoint unready = NotReady("10.0.0.2");
  unready.serving = true;
  const ServicePlan plan =
      PlanService(Input(MakeService("web", {"10.96.0.1"}),
                        {MakeSlice("web-1", {Ready("10.0.0.1"), unready, Leaving("10.0.0.3"),
                                             Gone("10.0.0.4"), NotReady("10.0.0.5")})}),
                  kNode);
  EXPECT_EQ(DumpOf(plan),
            "FRONTEND           SERVICE    BACKEND         NOTE\n"
            "10.96.0.1:80/TCP   shop/web   10.0.0.1:8080\n"
            "-                  shop/web   10.0.0.2:8080   draining\n"
            "-                  shop/web   10.0.0.3:8080   draining\n");
}

TEST(PlanService, PlansAnEndpointThatStandsInTwoSlicesOnce) {
  const ServicePlan plan = PlanService(
      Input(MakeService("web", {"10.96.0.1"}),
            {MakeSlice("web-1", {Ready("10.0.0.1")}), MakeSlice("web-2", {Leaving("10.0.0.1")})}),
      kNode);
  EXPECT_THAT(plan.ports.begin()->second->backends, SizeIs(1));
}

TEST(PlanService, LeavesAloneWhatHasNoVirtualIpOfOurs) {
  const Slices slices{MakeSlice("web-1", {Ready("10.0.0.1")})};
  Service external_name = MakeService("web", {"10.96.0.1"});
  external_name.type = ServiceType::kExternalName;
  Service others = MakeService("web", {"10.96.0.1"});
  others.ignored_by_label = true;
  Service excluded = MakeService("web", {"10.96.0.1"});
  excluded.excluded = true;
  for (const Service& service : {external_name, others, excluded, MakeService("headless", {})}) {
    const ServicePlan plan = PlanService(Input(service, slices), kNode);
    EXPECT_THAT(plan.ports, IsEmpty());
    EXPECT_THAT(plan.problems, IsEmpty());
  }
  EXPECT_THAT(PlanService({.slices = slices}, kNode).ports, IsEmpty());
}

TEST(PlanService, OfTwoPortsWithOneNameTheFirstIsServed) {
  Service service = MakeService("web", {"10.96.0.1"});
  service.ports = {{.name = "http", .port = 80}, {.name = "http", .port = 81}};
  const ServicePlan plan = PlanService(Input(service), kNode);
  EXPECT_EQ(DumpOf(plan),
            "FRONTEND           SERVICE         BACKEND   NOTE\n"
            "10.96.0.1:80/TCP   shop/web:http   -         refused\n");
  EXPECT_THAT(Texts(plan.problems), ElementsAre("Service shop/web|spec.ports[1].name|"
                                                "\"http\" is already the name of another port"));
}

TEST(PlanService, OfTwoPortsWithOneNumberTheFirstIsServed) {
  Service service = MakeService("web", {"10.96.0.1"});
  service.ports = {{.name = "http", .port = 80}, {.name = "alt", .port = 80}};
  const ServicePlan plan = PlanService(Input(service), kNode);
  EXPECT_EQ(DumpOf(plan),
            "FRONTEND           SERVICE         BACKEND   NOTE\n"
            "10.96.0.1:80/TCP   shop/web:http   -         refused\n");
  EXPECT_THAT(Texts(plan.problems),
              ElementsAre("Service shop/web|spec.ports[1]|"
                          "10.96.0.1:80/TCP is already a frontend of this Service"));
}

TEST(PlanService, RefusesToCutNames) {
  Service service = MakeService(std::string(64, 'w'), {"10.96.0.1"});
  EXPECT_THAT(PlanService(Input(service), kNode).ports, IsEmpty());
  EXPECT_THAT(PlanService(Input(service), kNode).problems, SizeIs(1));
  service.meta.name = {std::string(64, 's'), "web"};
  EXPECT_THAT(PlanService(Input(service), kNode).ports, IsEmpty());
  EXPECT_THAT(PlanService(Input(service), kNode).problems, SizeIs(1));
}

TEST(PlanService, APortWithANameThatDoesNotFitStopsNoOther) {
  Service service = MakeService("web", {"10.96.0.1"});
  service.ports = {{.name = std::string(64, 'p'), .port = 80}, {.name = "alt", .port = 81}};
  const ServicePlan plan = PlanService(Input(service), kNode);
  EXPECT_THAT(plan.ports, SizeIs(1));
  EXPECT_THAT(Texts(plan.problems),
              ElementsAre("Service shop/web|spec.ports[0].name|is longer than 63 characters"));
}

TEST(PlanService, CutsAListThatTheMapsCannotHold) {
  auto slice = MakeSlice("web-1", {});
  for (int i = 0; i < SHUNT_MAX_SLOTS_PER_LIST + 2; ++i) {
    slice->endpoints.push_back(
        Ready(absl::StrCat("10.", i / 65536, ".", i / 256 % 256, ".", i % 256)));
  }
  const ServicePlan plan = PlanService(Input(MakeService("web", {"10.96.0.1"}), {slice}), kNode);
  const ServicePortState& state = *plan.ports.begin()->second;
  EXPECT_THAT(state.ListOf({.key = {.address = Ip("10.96.0.1"), .port = 80}}),
              SizeIs(SHUNT_MAX_SLOTS_PER_LIST));
  EXPECT_THAT(
      Texts(plan.problems),
      ElementsAre("Service shop/web|spec.ports[0]|65538 IPv4 endpoints are more than the maps "
                  "hold; new connections go to the first 65536"));
}

}  // namespace
}  // namespace shunt
