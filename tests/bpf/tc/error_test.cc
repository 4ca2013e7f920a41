// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "tests/bpf/tc/packet_test.h"

namespace shunt::testing {
namespace {

// ICMP errors, with as much of the packet as every router sends, and with more.
class EveryError : public PacketTest,
                   public ::testing::WithParamInterface<std::tuple<Family, bool>> {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    PacketTest::Serve({at_.vip}, {On(at_.remote, false)}, SHUNT_UDP);
    MakeDevice();
    arrived_ = {.from = at_.client, .to = at_.vip, .protocol = SHUNT_UDP, .payload = "question"};
    forwarded_ = Arrived(arrived_);
    sent_ = Left(forwarded_);
    returned_ = Arrived(AnswerTo(sent_));
    answer_ = Left(returned_);
  }

  // Too big, or time exceeded: not about a port.
  IcmpError Error(const IpAddress& from, const IpAddress& to, const Packet& about) const {
    const bool is_ipv4 = std::get<0>(GetParam()) == Family::kIpv4;
    const size_t least = is_ipv4 ? 28 : 48;
    return {.from = from,
            .to = to,
            .type = static_cast<uint8_t>(is_ipv4 ? 11 : 2),
            .code = 0,
            .about = about,
            .held = least + (std::get<1>(GetParam()) ? 8 : 0)};
  }

  static IcmpError GoneOnError(const Outcome& outcome) {
    EXPECT_EQ(outcome.fate, Fate::kGoesOn);
    const absl::StatusOr<IcmpError> error = ReadError(outcome.frame);
    EXPECT_TRUE(error.ok()) << error.status();
    if (!error.ok()) return {};
    EXPECT_TRUE(error->checksums_fit);
    return *error;
  }
  static void ExpectAbout(const IcmpError& error, const Packet& packet) {
    EXPECT_EQ(error.about.from, packet.from);
    EXPECT_EQ(error.about.to, packet.to);
  }

  const Places at_ = PlacesOf(std::get<0>(GetParam()));
  // One packet and its answer, from step to step.
  Packet arrived_, forwarded_, sent_, returned_, answer_;
};

TEST_P(EveryError, OfARouterOnTheWayToTheBackendReachesTheClientAboutWhatItSent) {
  const IcmpError inside = GoneOnError(Arrive(Build(Error(at_.router.address, at_.node, sent_))));
  EXPECT_EQ(inside.to, at_.client.address);
  ExpectAbout(inside, forwarded_);
  const IcmpError outside =
      GoneOnError(Leave(Build(Error(at_.router.address, at_.client.address, forwarded_))));
  EXPECT_EQ(outside.from, at_.router.address);
  EXPECT_EQ(outside.to, at_.client.address);
  ExpectAbout(outside, arrived_);
}

TEST_P(EveryError, OfTheBackendReachesTheClientAsFromWhomItDialled) {
  const IcmpError inside = GoneOnError(Arrive(Build(Error(at_.remote.address, at_.node, sent_))));
  ExpectAbout(inside, forwarded_);
  const IcmpError outside =
      GoneOnError(Leave(Build(Error(at_.remote.address, at_.client.address, forwarded_))));
  EXPECT_EQ(outside.from, at_.vip.address);
  ExpectAbout(outside, arrived_);
}

TEST_P(EveryError, OfARouterOnTheWayToTheClientReachesTheBackendAboutItsAnswer) {
  const IcmpError inside =
      GoneOnError(Arrive(Build(Error(at_.router.address, at_.vip.address, answer_))));
  EXPECT_EQ(inside.to, at_.remote.address);
  ExpectAbout(inside, returned_);
  const IcmpError outside =
      GoneOnError(Leave(Build(Error(at_.router.address, at_.remote.address, returned_))));
  EXPECT_EQ(outside.from, at_.router.address);
  EXPECT_EQ(outside.to, at_.remote.address);
  ExpectAbout(outside, AnswerTo(sent_));
}

TEST_P(EveryError, OfTheClientReachesTheBackendAsFromThisNode) {
  const IcmpError outside =
      GoneOnError(Leave(Build(Error(at_.client.address, at_.remote.address, returned_))));
  EXPECT_EQ(outside.from, at_.node);
  ExpectAbout(outside, AnswerTo(sent_));
}

TEST_P(EveryError, AboutNobodysPacketGoesOnAsItCame) {
  Packet other = sent_;
  ++other.from.port;
  const Frame frame = Build(Error(at_.router.address, at_.node, other));
  ExpectUntouched(Arrive(frame), frame);
  ExpectUntouched(Leave(frame), frame);
}

TEST_P(EveryError, ThatHoldsTooLittleGoesOnAsItCame) {
  IcmpError error = Error(at_.router.address, at_.node, sent_);
  for (size_t held = 0; held + 1 < error.held - (std::get<1>(GetParam()) ? 8 : 0); ++held) {
    IcmpError cut = error;
    cut.held = held;
    const Frame frame = Build(cut);
    ExpectUntouched(Arrive(frame), frame);
  }
}

std::string Name(const ::testing::TestParamInfo<std::tuple<Family, bool>>& info) {
  return std::string(std::get<0>(info.param) == Family::kIpv4 ? "Ipv4" : "Ipv6") +
         (std::get<1>(info.param) ? "Long" : "Short");
}

INSTANTIATE_TEST_SUITE_P(, EveryError,
                         ::testing::Combine(::testing::Values(Family::kIpv4, Family::kIpv6),
                                            ::testing::Bool()),
                         Name);

}  // namespace
}  // namespace shunt::testing
