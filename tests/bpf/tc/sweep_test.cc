// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/bpf/tc/packet_test.h"
#include "userspace/datapath/flow_sweep.h"
#include "userspace/datapath/flows.h"

namespace shunt::testing {
namespace {

class Sweep : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    MakeDevice();
    PacketTest::Serve({at_.vip}, {On(at_.remote, false)});
  }

  // Removes what is over; how many entries that were.
  uint64_t Swept() const {
    absl::StatusOr<std::unique_ptr<FlowSweep>> sweep = FlowSweep::Begin(bpffs());
    EXPECT_TRUE(sweep.ok()) << sweep.status();
    uint64_t removed = 0;
    for (FlowSweep::Step step; sweep.ok() && !step.complete; removed += step.removed) {
      step = (*sweep)->Next().value();
    }
    return removed;
  }
  Packet Connect(uint16_t client_port) {
    Packet packet = {.from = at_.client, .to = at_.vip};
    packet.from.port = client_port;
    return Left(Arrived(packet));
  }
  std::optional<uint64_t> EntriesOf(const std::string& map) const {
    const std::vector<MapInfo> maps = InspectMaps(bpffs()).value();
    for (const MapInfo& info : maps) {
      if (info.name == map) return info.entries;
    }
    return std::nullopt;
  }

  const Places at_ = PlacesOf(Family::kIpv4);
};

TEST_F(Sweep, RemovesBothPairsOfAFlowThatTimedOutAndNoOther) {
  Connect(40000);
  Age(121);  // seconds: nobody answers a SYN
  Connect(40001);
  ASSERT_EQ(Flows(), 8u);
  EXPECT_EQ(Swept(), 4u);
  EXPECT_EQ(Flows(), 4u);
  EXPECT_EQ(Swept(), 0u);
}

TEST_F(Sweep, LeavesAConnectionThatWasAnsweredForADay) {
  const Packet request = Connect(40000);
  Left(Arrived(AnswerTo(request)));
  Age(23 * 3600);
  EXPECT_EQ(Swept(), 0u);
  Age(3601);
  EXPECT_EQ(Swept(), 4u);
}

TEST_F(Sweep, RemovesFlowsOfABackendThatIsGoneOnceTheyAreQuiet) {
  const Packet request = Connect(40000);
  Left(Arrived(AnswerTo(request)));
  PacketTest::Serve({at_.vip}, {On(at_.local, true)});
  EXPECT_EQ(Swept(), 0u);
  Age(10);
  EXPECT_EQ(Swept(), 4u);
}

TEST_F(Sweep, GoesThroughATableOfManySteps) {
  for (uint16_t port = 10000; port < 12000; ++port) Connect(port);
  Age(121);
  EXPECT_EQ(Swept(), 8000u);
  EXPECT_EQ(Flows(), 0u);
}

TEST_F(Sweep, IsNotNeededToCountWhatTheTableHolds) {
  EXPECT_EQ(EntriesOf("shunt_flows"), 0u);
  for (uint16_t port = 10000; port < 10100; ++port) Connect(port);
  EXPECT_EQ(EntriesOf("shunt_flows"), 400u);
  EXPECT_EQ(ReadFlows(bpffs()).value().size(), 100u);
  EXPECT_EQ(EntriesOf("shunt_devices"), 1u);
}

}  // namespace
}  // namespace shunt::testing
