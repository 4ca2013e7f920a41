// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/planner/selecting.h"
#include "userspace/planner/planner.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// "10.0.0.1: not ready" of each endpoint in the cluster list.
std::vector<std::string> ClusterWords(const PortReason& port) {
  std::vector<std::string> words;
  for (const EndpointReason& endpoint : port.endpoints) {
    words.push_back(endpoint.address.ToString() + ": " + std::string(FateText(endpoint.cluster)));
  }
  return words;
}

TEST(ExplainService, TellsWhatBecameOfEachEndpoint) {
  const ServiceReason reason = ExplainService(
      Input(MakeService("web", {"10.96.0.1"}),
            {MakeSlice("web-1", {Ready("10.0.0.1"), NotReady("10.0.0.2"), Leaving("10.0.0.3")}),
             MakeSlice("web-2", {Ready("10.0.0.1")})}),
      kNode, {});
  ASSERT_THAT(reason.ports, SizeIs(1));
  EXPECT_EQ(reason.not_served, "");
  EXPECT_THAT(ClusterWords(reason.ports[0]),
              ElementsAre("10.0.0.1: selected", "10.0.0.1: duplicate of another endpoint",
                          "10.0.0.2: not ready", "10.0.0.3: terminating while others are ready"));
  EXPECT_EQ(reason.ports[0].endpoints[1].slice, "web-2");
  EXPECT_EQ(reason.ports[0].frontends[0].choices, 1u);
}

TEST(ExplainService, SaysThatAListIsUnusedWhereNoFrontendChoosesFromIt) {
  Service service = MakeService("web", {"10.96.0.1"});
  service.internal_policy = TrafficPolicy::kLocal;
  service.ports[0].node_port = 30080;  // and no address to serve it at
  const ServiceReason reason = ExplainService(
      Input(service, {MakeSlice("web-1", {Ready("10.0.0.1", "node-a")})}), kNode, {});
  ASSERT_THAT(reason.ports, SizeIs(1));
  EXPECT_EQ(reason.ports[0].endpoints[0].cluster, Fate::kListUnused);
  EXPECT_EQ(reason.ports[0].endpoints[0].local, Fate::kSelected);
}

TEST(ExplainService, NamesTheSliceWhosePortHasAnotherName) {
  auto slice = MakeSlice("web-1", {Ready("10.0.0.1")});
  slice->ports[0].name = "htpp";
  const ServiceReason reason =
      ExplainService(Input(MakeService("web", {"10.96.0.1"}), {slice}), kNode, {});
  ASSERT_THAT(reason.ports, SizeIs(1));
  EXPECT_THAT(reason.ports[0].endpoints, IsEmpty());
  EXPECT_THAT(reason.ports[0].slices_without_port, ElementsAre("web-1"));
  EXPECT_EQ(reason.ports[0].slices, 1u);
}

TEST(ExplainService, NamesTheOwnerOfAFrontendThatItLost) {
  Planner planner("node-a");
  ClusterChanges changes;
  const ServiceInput older = Input(MakeService("a", {"10.96.0.1"}));
  const ServiceInput younger = Input(MakeService("b", {"10.96.0.1"}));
  changes.services = {{InShop("a"), older}, {InShop("b"), younger}};
  planner.Update(changes);
  const auto owner = [&](const ServiceInput& input) {
    return ExplainService(input, planner.node(), planner.state()).ports.at(0).frontends.at(0).owner;
  };
  EXPECT_EQ(owner(older), "");
  EXPECT_EQ(owner(younger), "shop/a");
}

TEST(ExplainService, SaysWhyNothingIsServed) {
  EXPECT_NE(ExplainService(Input(MakeService("web", {})), kNode, {}).not_served, "");
  Service excluded = MakeService("web", {"10.96.0.1"});
  excluded.excluded = true;
  EXPECT_THAT(ExplainService(Input(excluded), kNode, {}).not_served,
              ::testing::HasSubstr("service.shunt/exclude"));
}

TEST(ExplainService, TellsTheRulesOfThePort) {
  Service service = MakeService("web", {"10.96.0.1"});
  service.affinity_timeout_s = 60;
  service.on_backend_removal = BackendRemoval::kImmediate;
  service.load_balancer_ips = {Ip("203.0.113.1")};
  service.source_ranges = {*Cidr::Parse("10.0.0.0/8")};
  const ServiceReason reason = ExplainService(Input(service), kNode, {});
  EXPECT_EQ(reason.ports[0].affinity_timeout_s, 60u);
  EXPECT_TRUE(reason.ports[0].ends_tcp);
  EXPECT_THAT(reason.ports[0].sources, ElementsAre(*Cidr::Parse("10.0.0.0/8")));
}

}  // namespace
}  // namespace shunt
