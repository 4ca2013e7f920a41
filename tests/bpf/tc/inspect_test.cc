// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/bpf/tc/packet_test.h"

namespace shunt::testing {
namespace {

// What `shuntctl get maps` and `get programs` show, also without an agent.
class WhatIsPinned : public PacketTest {
 protected:
  std::map<std::string, MapInfo> Maps() const {
    const absl::StatusOr<std::vector<MapInfo>> maps = InspectMaps(bpffs());
    EXPECT_TRUE(maps.ok()) << maps.status();
    std::map<std::string, MapInfo> by_name;
    for (const MapInfo& map : maps.value_or(std::vector<MapInfo>())) by_name[map.name] = map;
    return by_name;
  }
};

TEST_F(WhatIsPinned, ShowsTheMapsOfPacketsWithTheirEntriesCounted) {
  const Places at = PlacesOf(Family::kIpv4);
  PacketTest::Serve({at.vip}, {On(at.remote, false)});
  MakeDevice();
  ASSERT_TRUE(datapath().SetOrigins({{Cidr::Of(at.node), SHUNT_ORIGIN_HOST}}).ok());
  Left(Arrived({.from = at.client, .to = at.vip}));
  EndAgent();
  std::map<std::string, MapInfo> maps = Maps();
  EXPECT_EQ(maps["shunt_flows"].entries, 4u);
  EXPECT_EQ(maps["shunt_fragments"].entries, 0u);
  EXPECT_EQ(maps["shunt_devices"].entries, 1u);
  EXPECT_EQ(maps["shunt_origins"].entries, 1u);
  EXPECT_EQ(maps["shunt_refusals"].entries, std::nullopt);
  EXPECT_GT(maps["shunt_flows"].memory_bytes, 0u);
}

TEST_F(WhatIsPinned, ShowsTheProgramsAtDevices) {
  Apply(DatapathState());
  EndAgent();
  const absl::StatusOr<std::vector<ProgramInfo>> programs = InspectPrograms(bpffs());
  ASSERT_TRUE(programs.ok()) << programs.status();
  std::vector<std::string> hooks;
  for (const ProgramInfo& program : *programs) hooks.push_back(program.hook);
  EXPECT_THAT(hooks, ::testing::IsSupersetOf({"connect4", "ingress", "egress", "ingress_ip"}));
}

}  // namespace
}  // namespace shunt::testing
