// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/planner/selecting.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;

TEST(Hints, KeepTrafficInTheZone) {
  const auto selection = Select({MakeSlice(
      "web-1", {ForZones(Ready("10.0.0.1"), {"zone-b"}), ForZones(Ready("10.0.0.2"), {"zone-a"}),
                ForZones(Ready("10.0.0.3"), {"zone-b", "zone-a"})})});
  EXPECT_EQ(selection.topology, Topology::kSameZone);
  EXPECT_THAT(ClusterFates(selection),
              ElementsAre(Fate::kOtherZone, Fate::kSelected, Fate::kSelected));
}

TEST(Hints, KeepTrafficOnTheNodeBeforeTheZone) {
  const auto hinted = [](std::string_view address, std::string node) {
    return ForNodes(ForZones(Ready(address), {"zone-a"}), {std::move(node)});
  };
  const auto selection =
      Select({MakeSlice("web-1", {hinted("10.0.0.1", "node-a"), hinted("10.0.0.2", "node-b")})});
  EXPECT_EQ(selection.topology, Topology::kSameNode);
  EXPECT_THAT(ClusterFates(selection), ElementsAre(Fate::kSelected, Fate::kOtherNode));
}

TEST(Hints, ForOtherNodesOnlyLeaveTheChoiceToTheZone) {
  const auto hinted = [](std::string_view address, std::string zone) {
    return ForNodes(ForZones(Ready(address), {std::move(zone)}), {"node-b"});
  };
  const auto selection =
      Select({MakeSlice("web-1", {hinted("10.0.0.1", "zone-a"), hinted("10.0.0.2", "zone-b")})});
  EXPECT_EQ(selection.topology, Topology::kSameZone);
  EXPECT_THAT(ClusterFates(selection), ElementsAre(Fate::kSelected, Fate::kOtherZone));
}

TEST(Hints, CountOnlyIfEveryReadyEndpointHasSome) {
  const auto selection =
      Select({MakeSlice("web-1", {ForZones(Ready("10.0.0.1"), {"zone-b"}),
                                  ForZones(Ready("10.0.0.2"), {"zone-a"}), Ready("10.0.0.3")})});
  EXPECT_EQ(selection.topology, Topology::kNone);
  EXPECT_THAT(ClusterFates(selection),
              ElementsAre(Fate::kSelected, Fate::kSelected, Fate::kSelected));
}

TEST(Hints, CountOnlyIfOneIsForThisZone) {
  const auto selection = Select({MakeSlice("web-1", {ForZones(Ready("10.0.0.1"), {"zone-b"})})});
  EXPECT_EQ(selection.topology, Topology::kNone);
  EXPECT_THAT(ClusterFates(selection), ElementsAre(Fate::kSelected));
}

TEST(Hints, OfEndpointsThatAreNotReadyMeanNothing) {
  const auto selection = Select(
      {MakeSlice("web-1", {ForZones(Ready("10.0.0.1"), {"zone-b"}),
                           ForZones(NotReady("10.0.0.2"), {"zone-a"}), NotReady("10.0.0.3")})});
  EXPECT_EQ(selection.topology, Topology::kNone);
}

TEST(Hints, OfDuplicatesMeanNothing) {
  const auto selection = Select({MakeSlice("web-1", {ForZones(Ready("10.0.0.1"), {"zone-b"})}),
                                 MakeSlice("web-2", {ForZones(Ready("10.0.0.1"), {"zone-a"})})});
  EXPECT_EQ(selection.topology, Topology::kNone);
}

TEST(Hints, AreIgnoredOnANodeWithoutAZone) {
  const Slices slices{MakeSlice(
      "web-1", {ForZones(Ready("10.0.0.1"), {""}), ForZones(Ready("10.0.0.2"), {"zone-a"})})};
  const auto selection = Select(slices, kClusterList, {.name = "node-a"});
  EXPECT_EQ(selection.topology, Topology::kNone);
  EXPECT_THAT(ClusterList(selection), ElementsAre("10.0.0.1:8080", "10.0.0.2:8080"));
}

TEST(Hints, DoNotLimitTheFallBackToLeavingEndpoints) {
  const auto selection = Select({MakeSlice("web-1", {ForZones(Leaving("10.0.0.1"), {"zone-a"}),
                                                     ForZones(Leaving("10.0.0.2"), {"zone-b"})})});
  EXPECT_THAT(ClusterList(selection), ElementsAre("10.0.0.1:8080", "10.0.0.2:8080"));
}

}  // namespace
}  // namespace shunt
