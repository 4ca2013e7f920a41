// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <tuple>

#include "tests/bpf/tc/packet_test.h"

namespace shunt::testing {
namespace {

class MalformedPacket : public PacketTest,
                        public ::testing::WithParamInterface<std::tuple<Family, shunt_protocol>> {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    PacketTest::Serve({at_.vip}, {On(at_.local, true)}, protocol_);
  }

  bool is_ipv4() const { return std::get<0>(GetParam()) == Family::kIpv4; }
  size_t ip_header() const { return is_ipv4() ? 20 : 40; }
  Packet Good() const { return {.from = at_.client, .to = at_.vip, .protocol = protocol_}; }
  Frame Altered(size_t at, uint8_t value) const {
    Frame frame = Build(Good());
    frame[kLinkHeader + at] = value;
    return frame;
  }

  const Places at_ = PlacesOf(std::get<0>(GetParam()));
  const shunt_protocol protocol_ = std::get<1>(GetParam());
};

TEST_P(MalformedPacket, CutAnywhereIsLeftToTheStack) {
  const Frame whole = Build(Good());
  // BPF_PROG_TEST_RUN itself refuses less than a header of IP.
  for (size_t length = kLinkHeader + ip_header(); length < whole.size(); ++length) {
    const Frame cut(whole.begin(), whole.begin() + length);
    ExpectUntouched(Arrive(cut), cut);
  }
  EXPECT_EQ(Flows(), 0u);
  EXPECT_EQ(Arrived(Good()).to, at_.local);
}

TEST_P(MalformedPacket, WithALengthThatLiesIsLeftToTheStack) {
  const size_t at = is_ipv4() ? 2 : 4;
  for (int value : {1, 19, 20, 23, 27, 200, 1500, 0xffff}) {
    Frame frame = Altered(at, value >> 8);
    const size_t true_length = frame.size() - kLinkHeader - (is_ipv4() ? 0 : 40);
    if (static_cast<size_t>(value) <= true_length && value >= 20) continue;
    frame[kLinkHeader + at + 1] = value & 0xff;
    ExpectUntouched(Arrive(frame), frame);
  }
  EXPECT_EQ(Flows(), 0u);
}

TEST_P(MalformedPacket, OfAnotherVersionOrAllOnesIsLeftToTheStack) {
  const Frame other = Altered(0, is_ipv4() ? 0x64 : 0x45);
  ExpectUntouched(Arrive(other), other);
  Frame ones = Build(Good());
  std::fill(ones.begin() + kLinkHeader, ones.end(), 0xff);
  ExpectUntouched(Arrive(ones), ones);
  if (is_ipv4()) {
    for (uint8_t words = 0; words < 5; ++words) {
      const Frame small = Altered(0, 0x40 + words);
      ExpectUntouched(Arrive(small), small);
    }
  }
  EXPECT_EQ(Flows(), 0u);
}

// Whatever comes, an answer belongs to the frontend, or nothing was touched.
TEST_P(MalformedPacket, WithAnyBytesGoesToOurBackendOrGoesOnAsItCame) {
  std::mt19937 random(20261126);
  const auto below = [&random](int limit) { return static_cast<int>(random() % limit); };
  for (int i = 0; i < 5000; ++i) {
    Frame frame = Build(Good());
    for (int changes = 1 + below(4); changes > 0; --changes) {
      frame[kLinkHeader + below(frame.size() - kLinkHeader)] = random();
    }
    const size_t least = kLinkHeader + ip_header();
    frame.resize(least + below(frame.size() - least + 1));
    const Outcome outcome = Arrive(frame);
    ASSERT_NE(outcome.fate, Fate::kSentBack);
    ASSERT_EQ(outcome.frame.size(), frame.size());
    if (outcome.frame == frame) continue;
    const absl::StatusOr<Packet> before = Read(frame), after = Read(outcome.frame);
    ASSERT_TRUE(before.ok() && after.ok());
    ASSERT_EQ(after->to, at_.local);
    ASSERT_EQ(after->from, before->from);
    ASSERT_EQ(after->payload, before->payload);
    ASSERT_EQ(after->checksums_fit, before->checksums_fit);
  }
}

std::string Name(const ::testing::TestParamInfo<std::tuple<Family, shunt_protocol>>& info) {
  return ProtocolText(std::get<1>(info.param)) +
         (std::get<0>(info.param) == Family::kIpv4 ? "4" : "6");
}

INSTANTIATE_TEST_SUITE_P(, MalformedPacket,
                         ::testing::Combine(::testing::Values(Family::kIpv4, Family::kIpv6),
                                            ::testing::Values(SHUNT_TCP, SHUNT_UDP)),
                         Name);

}  // namespace
}  // namespace shunt::testing
