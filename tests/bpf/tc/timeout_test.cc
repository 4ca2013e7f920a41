// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bpf/tc/packet_test.h"

namespace shunt::testing {
namespace {

// Timeouts as the configuration has them (conntrack.*Timeout).
class ConfiguredTimeout : public PacketTest {
 protected:
  Datapath::Options options() const override {
    Datapath::Options options = PacketTest::options();
    options.timeouts = {.udp = absl::Seconds(5),
                        .udp_stream = absl::Seconds(10),
                        .tcp_established = absl::Seconds(20),
                        .tcp_close_wait = absl::Seconds(8)};
    return options;
  }

  // Whether an answer still finds its flow once that has been idle for so long.
  bool IsKnownAfter(const Packet& request, uint64_t seconds) {
    Age(seconds);
    const absl::StatusOr<Packet> answer = Read(Leave(Build(AnswerTo(request, kAck))).frame);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() && answer->from == at_.vip;
  }

  const Places at_ = PlacesOf(Family::kIpv4);
};

TEST_F(ConfiguredTimeout, OfUdpCountsBeforeAndAfterTheFirstAnswer) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, SHUNT_UDP);
  Packet packet = {.from = at_.client, .to = at_.vip, .protocol = SHUNT_UDP};
  EXPECT_FALSE(IsKnownAfter(Arrived(packet), 6));
  ++packet.from.port;
  const Packet request = Arrived(packet);
  EXPECT_TRUE(IsKnownAfter(request, 4));
  EXPECT_TRUE(IsKnownAfter(request, 9));
  EXPECT_FALSE(IsKnownAfter(request, 11));
}

TEST_F(ConfiguredTimeout, OfTcpCountsWhileItStandsAndOnceOneSideHasEnded) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)});
  Packet packet = {.from = at_.client, .to = at_.vip};
  const Packet request = Arrived(packet);
  Left(AnswerTo(request));
  EXPECT_TRUE(IsKnownAfter(request, 19));
  packet.flags = kFin | kAck;
  Arrived(packet);
  EXPECT_TRUE(IsKnownAfter(request, 7));
  EXPECT_FALSE(IsKnownAfter(request, 9));
}

// The socket programs have the same configuration.
TEST_F(ConfiguredTimeout, IsAlsoThatOfSockets) {
  EXPECT_EQ(datapath().config().udp_timeout_ns, 5'000'000'000u);
  EXPECT_EQ(datapath().config().udp_stream_timeout_ns, 10'000'000'000u);
}

}  // namespace
}  // namespace shunt::testing
