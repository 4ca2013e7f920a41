// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/planner/selecting.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Merging, TrafficGoesToTheEndpointsOfAllSlices) {
  const auto selection = Select({MakeSlice("web-1", {Ready("10.0.0.2")}),
                                 MakeSlice("web-2", {Ready("10.0.0.1"), Ready("10.0.0.3")})});
  EXPECT_THAT(ClusterList(selection),
              ElementsAre("10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"));
}

TEST(Merging, ANamedPortMayHaveAnotherNumberInEachSlice) {
  auto one = MakeSlice("web-1", {Ready("10.0.0.1")});
  auto two = MakeSlice("web-2", {Ready("10.0.0.2")});
  one->ports = {{.name = "http", .port = 8080}, {.name = "admin", .port = 9}};
  two->ports = {{.name = "http", .port = 3000}};
  const auto selection = SelectAt({.name = "http"}, {one, two});
  EXPECT_THAT(ClusterList(selection), ElementsAre("10.0.0.1:8080", "10.0.0.2:3000"));
}

TEST(Merging, SeveralPortNamesMayShareANumber) {
  auto slice = MakeSlice("web-1", {Ready("10.0.0.1")});
  slice->ports = {{.name = "http", .port = 8080}, {.name = "alt", .port = 8080}};
  for (const auto* name : {"http", "alt"}) {
    const auto selection = SelectAt({.name = name}, {slice});
    EXPECT_THAT(ClusterList(selection), ElementsAre("10.0.0.1:8080")) << name;
  }
}

TEST(Merging, APortNameOfOneProtocolDoesNotReachAnother) {
  auto slice = MakeSlice("dns-1", {Ready("10.0.0.1")});
  slice->ports = {{.name = "dns", .protocol = SHUNT_UDP, .port = 53},
                  {.name = "dns", .protocol = SHUNT_TCP, .port = 5353}};
  const auto selection = SelectAt({.name = "dns", .protocol = SHUNT_UDP}, {slice});
  EXPECT_THAT(ClusterList(selection), ElementsAre("10.0.0.1:53"));
}

TEST(Merging, ANamedPortDoesNotReachAnUnnamedOne) {
  const Slices slices{MakeSlice("web-1", {Ready("10.0.0.1")})};
  EXPECT_THAT(SelectAt({.name = "http"}, slices).candidates, IsEmpty());
}

TEST(Merging, ThePortZeroReachesNobody) {
  auto slice = MakeSlice("web-1", {Ready("10.0.0.1")});
  slice->ports = {{.port = 0}};
  EXPECT_THAT(Select({slice}).candidates, IsEmpty());
}

TEST(Merging, TrafficOfOneFamilyNeverGoesToTheOther) {
  const Slices slices{MakeSlice("web-v4", {Ready("10.0.0.1")}),
                      MakeSlice("web-v6", {Ready("fd00::1")})};
  EXPECT_THAT(ClusterList(Select(slices)), ElementsAre("10.0.0.1:8080"));
  const auto v6 = SelectAt({.family = Family::kIpv6}, slices);
  EXPECT_THAT(ClusterList(v6), ElementsAre("[fd00::1]:8080"));
}

TEST(Merging, AnAddressOfAnotherFamilyThanItsSliceIsLeftOut) {
  const auto selection = Select({MakeSlice("web-1", {Ready("10.0.0.1"), Ready("fd00::1")})});
  EXPECT_THAT(ClusterFates(selection), ElementsAre(Fate::kSelected, Fate::kWrongFamily));
}

TEST(Merging, AnEndpointInTwoSlicesGetsOneShareOfTheTraffic) {
  const auto selection = Select({MakeSlice("web-1", {Ready("10.0.0.1"), Ready("10.0.0.2")}),
                                 MakeSlice("web-2", {Ready("10.0.0.1")})});
  EXPECT_THAT(ClusterFates(selection),
              ElementsAre(Fate::kSelected, Fate::kDuplicate, Fate::kSelected));
  EXPECT_EQ(selection.candidates[0].slice->meta.name.name, "web-1");
}

TEST(Merging, OfTwoCopiesTheOneThatIsNotTerminatingCounts) {
  const Endpoint leaving = Leaving("10.0.0.1");
  const Endpoint not_ready = NotReady("10.0.0.1");
  for (const Slices& slices :
       {Slices{MakeSlice("web-1", {leaving}), MakeSlice("web-2", {not_ready})},
        Slices{MakeSlice("web-1", {not_ready}), MakeSlice("web-2", {leaving})}}) {
    const auto selection = Select(slices);
    EXPECT_THAT(ClusterFates(selection), ElementsAre(Fate::kNotReady, Fate::kDuplicate));
    EXPECT_FALSE(selection.any_usable);
  }
}

TEST(Merging, AStaleCopyInAnotherSliceTakesNobodyOutOfService) {
  for (const Slices& slices :
       {Slices{MakeSlice("web-1", {NotReady("10.0.0.1")}), MakeSlice("web-2", {Ready("10.0.0.1")})},
        Slices{MakeSlice("web-1", {Ready("10.0.0.1")}),
               MakeSlice("web-2", {NotReady("10.0.0.1")})}}) {
    EXPECT_THAT(ClusterList(Select(slices)), ElementsAre("10.0.0.1:8080"));
  }
}

TEST(Merging, TheOrderOfTheSlicesChangesNothing) {
  const auto one = MakeSlice("web-1", {ForZones(Ready("10.0.0.1"), {"zone-a"})});
  const auto two = MakeSlice("web-2", {ForZones(Ready("10.0.0.1"), {"zone-b"})});
  EXPECT_EQ(Select({one, two}).topology, Topology::kSameZone);
  EXPECT_EQ(Select({two, one}).topology, Topology::kSameZone);
}

}  // namespace
}  // namespace shunt
