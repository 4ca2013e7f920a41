// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/planner/cluster_builder.h"
#include "userspace/state/dump.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const FrontendKey kVip{.address = Ip("10.96.0.1"), .port = 80};

ClusterChanges Changed(std::vector<ServiceInput> inputs) {
  ClusterChanges changes;
  for (ServiceInput& input : inputs) {
    const NamespacedName name = input.service->meta.name;
    changes.services[name] = std::move(input);
  }
  return changes;
}

ClusterChanges Gone(std::string service) {
  ClusterChanges changes;
  changes.services[InShop(std::move(service))] = {};
  return changes;
}

ClusterChanges NodeIs(std::shared_ptr<const Node> node) {
  return {.node_changed = true, .node = std::move(node)};
}

Service BornAt(Service service, int second) {
  service.meta.created = absl::FromUnixSeconds(second);
  return service;
}

std::vector<std::string> NamesOf(const StateChanges& changes) {
  std::vector<std::string> names;
  for (const auto& [name, state] : changes.changed) {
    names.push_back((state == nullptr ? "-" : "+") + name.ToString());
  }
  return names;
}

// "web" if that Service gets the connections to kVip, "" if nobody does.
std::string OwnerOfVip(const Planner& planner) {
  return TraceConnect(planner.state(), kVip).service.name;
}

// --- What changes

TEST(Planner, TheFirstUpdateIsCompleteAndTheNextOnesAreNot) {
  Planner planner("node-a");
  EXPECT_TRUE(planner.Update({}).complete);
  EXPECT_FALSE(planner.Update({}).complete);
}

TEST(Planner, TellsOnlyTheServicePortsThatBecameDifferent) {
  Planner planner("node-a");
  Service web = MakeService("web", {"10.96.0.1"});
  web.ports = {{.name = "http", .port = 80}, {.name = "admin", .port = 81}};
  auto slice = MakeSlice("web-1", {Ready("10.0.0.1")});
  slice->ports = {{.name = "http", .port = 8080}};
  const auto first =
      planner.Update(Changed({Input(web, {slice}), Input(MakeService("api", {"10.96.0.2"}))}));
  EXPECT_THAT(NamesOf(first), ElementsAre("+shop/api", "+shop/web:admin", "+shop/web:http"));

  auto larger = MakeSlice("web-1", {Ready("10.0.0.1"), Ready("10.0.0.2")});
  larger->ports = slice->ports;
  EXPECT_THAT(NamesOf(planner.Update(Changed({Input(web, {larger})}))),
              ElementsAre("+shop/web:http"));
}

TEST(Planner, TellsNothingWhenAChangeMovesNoTraffic) {
  Planner planner("node-a");
  const Service web = MakeService("web", {"10.96.0.1"});
  planner.Update(Changed({Input(web, {MakeSlice("web-1", {Ready("10.0.0.1")})})}));
  const auto same = planner.Update(
      Changed({Input(web, {MakeSlice("web-1", {Ready("10.0.0.1"), NotReady("10.0.0.2")})})}));
  EXPECT_THAT(same.changed, IsEmpty());
}

TEST(Planner, AServicePortThatDidNotChangeKeepsItsObject) {
  Planner planner("node-a");
  Service web = MakeService("web", {"10.96.0.1"});
  Service loser = MakeService("z", {"10.96.0.1", "fd00:96::1"});
  planner.Update(Changed({Input(web), Input(loser)}));
  const DatapathState before = planner.state();
  ASSERT_THAT(before, SizeIs(2));
  web.health_check_node_port = loser.health_check_node_port = 32000;  // is not in the maps
  planner.Update(Changed({Input(web), Input(loser)}));
  EXPECT_EQ(planner.state(), before);
}

TEST(Planner, TellsThatAServicePortIsGone) {
  Planner planner("node-a");
  Service web = MakeService("web", {"10.96.0.1"});
  web.ports = {{.name = "http", .port = 80}, {.name = "admin", .port = 81}};
  planner.Update(Changed({Input(web), Input(MakeService("web-2", {"10.96.0.2"}))}));

  web.ports.pop_back();
  EXPECT_THAT(NamesOf(planner.Update(Changed({Input(web)}))), ElementsAre("-shop/web:admin"));
  EXPECT_THAT(NamesOf(planner.Update(Gone("web"))), ElementsAre("-shop/web:http"));
  EXPECT_THAT(planner.state(), SizeIs(1));
  EXPECT_THAT(NamesOf(planner.Update(Gone("web"))), IsEmpty());
}

TEST(Planner, AServiceThatBecomesHeadlessLosesItsFrontendsAndGetsThemBack) {
  Planner planner("node-a");
  planner.Update(Changed({Input(MakeService("web", {"10.96.0.1"}))}));
  EXPECT_THAT(NamesOf(planner.Update(Changed({Input(MakeService("web", {}))}))),
              ElementsAre("-shop/web"));
  EXPECT_THAT(NamesOf(planner.Update(Changed({Input(MakeService("web", {"10.96.0.1"}))}))),
              ElementsAre("+shop/web"));
}

TEST(Planner, AServiceThatChangesItsAddressLeavesTheOldOne) {
  Planner planner("node-a");
  planner.Update(Changed({Input(MakeService("web", {"10.96.0.1"}))}));
  planner.Update(Changed({Input(MakeService("web", {"10.96.0.2"}))}));
  EXPECT_EQ(OwnerOfVip(planner), "");
  EXPECT_EQ(Dump(planner.state()),
            "FRONTEND           SERVICE    BACKEND   NOTE\n"
            "10.96.0.2:80/TCP   shop/web   -         refused\n");
}

// --- The node

ServiceInput ZonedService() {
  return Input(MakeService("web", {"10.96.0.1"}),
               {MakeSlice("web-1", {ForZones(Ready("10.0.0.1"), {"zone-a"}),
                                    ForZones(Ready("10.0.0.2"), {"zone-b"})})});
}

std::vector<std::string> BackendsOfVip(const Planner& planner) {
  std::vector<std::string> backends;
  for (const Backend& backend : TraceConnect(planner.state(), kVip).candidates) {
    backends.push_back(backend.address.ToString());
  }
  return backends;
}

TEST(Planner, TrafficFollowsTheZoneOfTheNodeAtRunTime) {
  Planner planner("node-a");
  ClusterChanges changes = Changed({ZonedService()});
  changes.node_changed = true;
  changes.node = NodeInZone("zone-a");
  planner.Update(changes);
  EXPECT_THAT(BackendsOfVip(planner), ElementsAre("10.0.0.1"));

  EXPECT_THAT(NamesOf(planner.Update(NodeIs(NodeInZone("zone-b")))), ElementsAre("+shop/web"));
  EXPECT_THAT(BackendsOfVip(planner), ElementsAre("10.0.0.2"));

  planner.Update(NodeIs(nullptr));
  EXPECT_THAT(BackendsOfVip(planner), ElementsAre("10.0.0.1", "10.0.0.2"));
}

TEST(Planner, ANodeThatChangesOtherwiseMovesNoTraffic) {
  Planner planner("node-a");
  planner.Update(NodeIs(NodeInZone("zone-a")));
  planner.Update(Changed({ZonedService()}));
  EXPECT_THAT(planner.Update(NodeIs(NodeInZone("zone-a"))).changed, IsEmpty());
}

TEST(Planner, AServiceThatComesWithANewZoneIsPlannedForThatZone) {
  Planner planner("node-a");
  planner.Update(NodeIs(NodeInZone("zone-a")));
  ClusterChanges changes = Changed({ZonedService()});
  changes.node_changed = true;
  changes.node = NodeInZone("zone-b");
  planner.Update(changes);
  EXPECT_THAT(BackendsOfVip(planner), ElementsAre("10.0.0.2"));
}

TEST(Planner, TheNodesNameIsReadInLowerCase) {
  Service web = MakeService("web", {"10.96.0.1"});
  web.internal_policy = TrafficPolicy::kLocal;
  Planner planner("Node-A");
  planner.Update(Changed({Input(web, {MakeSlice("web-1", {Ready("10.0.0.1", "node-a")})})}));
  EXPECT_THAT(BackendsOfVip(planner), ElementsAre("10.0.0.1"));
}

// --- Two Services that want one frontend

TEST(Conflict, TheOlderServiceKeepsTheFrontendWhoeverComesFirst) {
  const ServiceInput older = Input(BornAt(MakeService("z-older", {"10.96.0.1"}), 1));
  const ServiceInput younger = Input(BornAt(MakeService("a-younger", {"10.96.0.1"}), 2));
  for (const auto& [first, second] : {std::pair(older, younger), std::pair(younger, older)}) {
    Planner planner("node-a");
    planner.Update(Changed({first}));
    planner.Update(Changed({second}));
    EXPECT_EQ(OwnerOfVip(planner), "z-older");
  }
}

TEST(Conflict, OfServicesWithoutAnAgeTheFirstByNameKeepsTheFrontend) {
  Planner planner("node-a");
  planner.Update(Changed({Input(MakeService("b", {"10.96.0.1"}))}));
  planner.Update(Changed({Input(MakeService("a", {"10.96.0.1"}))}));
  EXPECT_EQ(OwnerOfVip(planner), "a");
}

TEST(Conflict, TheLoserSaysWhoWon) {
  Planner planner("node-a");
  planner.Update(Changed({Input(BornAt(MakeService("web", {"10.96.0.1"}), 2)),
                          Input(BornAt(MakeService("api", {"10.96.0.1"}), 1))}));
  ASSERT_THAT(planner.problems(), SizeIs(1));
  EXPECT_EQ(planner.problems()[0].object, "Service shop/web");
  EXPECT_EQ(planner.problems()[0].field, "spec.clusterIPs");
  EXPECT_EQ(planner.problems()[0].message,
            "10.96.0.1:80/TCP belongs to Service shop/api, which is older");
}

TEST(Conflict, TheLoserTakesOverInTheUpdateInWhichTheWinnerLeaves) {
  Planner planner("node-a");
  planner.Update(
      Changed({Input(MakeService("a", {"10.96.0.1"})), Input(MakeService("b", {"10.96.0.1"})),
               Input(MakeService("c", {"10.96.0.1"}))}));
  EXPECT_THAT(planner.problems(), SizeIs(2));

  EXPECT_THAT(NamesOf(planner.Update(Gone("a"))), ElementsAre("-shop/a", "+shop/b"));
  EXPECT_EQ(OwnerOfVip(planner), "b");
  ASSERT_THAT(planner.problems(), SizeIs(1));
  EXPECT_THAT(planner.problems()[0].message, HasSubstr("belongs to Service shop/b"));

  EXPECT_THAT(NamesOf(planner.Update(Gone("b"))), ElementsAre("-shop/b", "+shop/c"));
  EXPECT_THAT(planner.problems(), IsEmpty());
}

TEST(Conflict, WhenTheLoserLeavesTheWinnersTrafficIsUntouched) {
  Planner planner("node-a");
  planner.Update(
      Changed({Input(MakeService("a", {"10.96.0.1"})), Input(MakeService("b", {"10.96.0.1"}))}));
  EXPECT_THAT(planner.Update(Gone("b")).changed, IsEmpty());
  EXPECT_EQ(OwnerOfVip(planner), "a");
  EXPECT_THAT(planner.problems(), IsEmpty());
}

TEST(Conflict, CostsTheLoserOnlyTheContestedFrontend) {
  Planner planner("node-a");
  Service loser = MakeService("b", {"10.96.0.1", "fd00:96::1"});
  planner.Update(Changed({Input(MakeService("a", {"10.96.0.1"})), Input(loser)}));
  EXPECT_EQ(Dump(planner.state()),
            "FRONTEND              SERVICE   BACKEND   NOTE\n"
            "10.96.0.1:80/TCP      shop/a    -         refused\n"
            "[fd00:96::1]:80/TCP   shop/b    -         refused\n");
}

TEST(Conflict, OfDifferentPortsOfOneAddressIsNone) {
  Planner planner("node-a");
  Service other = MakeService("b", {"10.96.0.1"});
  other.ports = {{.port = 81}, {.name = "udp", .protocol = SHUNT_UDP, .port = 80}};
  planner.Update(Changed({Input(MakeService("a", {"10.96.0.1"})), Input(other)}));
  EXPECT_THAT(planner.problems(), IsEmpty());
  EXPECT_THAT(planner.state(), SizeIs(3));
}

TEST(Conflict, TwoServicesMayExchangeTheirAddressesInOneUpdate) {
  Planner planner("node-a");
  planner.Update(
      Changed({Input(MakeService("a", {"10.96.0.1"})), Input(MakeService("b", {"10.96.0.2"}))}));
  const auto changes = planner.Update(
      Changed({Input(MakeService("a", {"10.96.0.2"})), Input(MakeService("b", {"10.96.0.1"}))}));
  EXPECT_THAT(NamesOf(changes), ElementsAre("+shop/a", "+shop/b"));
  EXPECT_EQ(OwnerOfVip(planner), "b");
  EXPECT_THAT(planner.problems(), IsEmpty());
}

TEST(Conflict, AServiceThatIsMadeAnewGoesToTheEndOfTheQueue) {
  Planner planner("node-a");
  planner.Update(Changed({Input(BornAt(MakeService("a", {"10.96.0.1"}), 1)),
                          Input(BornAt(MakeService("b", {"10.96.0.1"}), 2))}));
  EXPECT_EQ(OwnerOfVip(planner), "a");
  planner.Update(Changed({Input(BornAt(MakeService("a", {"10.96.0.1"}), 3))}));
  EXPECT_EQ(OwnerOfVip(planner), "b");
}

TEST(Conflict, ProblemsAreSortedByTheirText) {
  Planner planner("node-a");
  ClusterChanges changes;
  for (const auto* name_space : {"a", "a-b"}) {
    Service service = MakeService("web", {"10.96.0.1"});
    service.meta.name.name_space = name_space;
    service.ports.push_back(service.ports[0]);
    changes.services[service.meta.name] = Input(service);
  }
  planner.Update(changes);
  EXPECT_THAT(planner.problems(), SizeIs(3));
  const Problems problems = planner.problems();
  EXPECT_TRUE(std::is_sorted(problems.begin(), problems.end()));
}

TEST(Conflict, ProblemsOfAServiceLeaveWithIt) {
  Planner planner("node-a");
  Service web = MakeService("web", {"10.96.0.1"});
  web.ports.push_back(web.ports[0]);
  planner.Update(Changed({Input(web)}));
  EXPECT_THAT(planner.problems(), SizeIs(1));
  planner.Update(Gone("web"));
  EXPECT_THAT(planner.problems(), IsEmpty());
}

}  // namespace
}  // namespace shunt
