// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/bpf/tc/packet_test.h"

namespace shunt::testing {
namespace {

// Datagrams that come in fragments.
class Fragments : public PacketTest, public ::testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    PacketTest::Serve({at_.vip}, {On(at_.remote, false)}, SHUNT_UDP);
    MakeDevice();
    question_.payload.resize(5000);
    for (size_t i = 0; i < question_.payload.size(); ++i) {
      question_.payload[i] = static_cast<char>(i * 7);
    }
  }

  Packet Joined(const std::vector<Frame>& fragments) const {
    const absl::StatusOr<Frame> whole = Join(fragments);
    EXPECT_TRUE(whole.ok()) << whole.status();
    if (!whole.ok()) return {};
    const absl::StatusOr<Packet> packet = Read(*whole);
    EXPECT_TRUE(packet.ok()) << packet.status();
    if (!packet.ok()) return {};
    EXPECT_TRUE(packet->checksums_fit);
    EXPECT_EQ(packet->payload, question_.payload);
    return *packet;
  }
  // All fragments through one program, and what they are together afterwards.
  Packet ArrivedInFragments(const Packet& packet) {
    std::vector<Frame> arrived;
    for (const Frame& frame : Split(Build(packet), kSize)) arrived.push_back(Arrive(frame).frame);
    return Joined(arrived);
  }
  Packet LeftInFragments(const Packet& packet) {
    std::vector<Frame> left;
    for (const Frame& frame : Split(Build(packet), kSize)) left.push_back(Leave(frame).frame);
    return Joined(left);
  }

  static constexpr size_t kSize = 1480;

  const Places at_ = PlacesOf(GetParam());
  Packet question_ = {.from = at_.client, .to = at_.vip, .protocol = SHUNT_UDP};
};

TEST_P(Fragments, GoThereAndBackAsOneDatagram) {
  const Packet forwarded = ArrivedInFragments(question_);
  EXPECT_EQ(forwarded.from, at_.client);
  EXPECT_EQ(forwarded.to, at_.remote);
  const Packet sent = LeftInFragments(forwarded);
  EXPECT_EQ(sent.from.address, at_.node);
  const Packet returned = ArrivedInFragments(AnswerTo(sent));
  EXPECT_EQ(returned.to, at_.client);
  const Packet answer = LeftInFragments(returned);
  EXPECT_EQ(answer.from, at_.vip);
  EXPECT_EQ(answer.to, at_.client);
  EXPECT_EQ(Flows(), 4u);
}

TEST_P(Fragments, BehindTheFirstMayComeInAnyOrder) {
  std::vector<Frame> fragments = Split(Build(question_), kSize), arrived;
  std::swap(fragments[1], fragments[3]);
  for (const Frame& frame : fragments) arrived.push_back(Arrive(frame).frame);
  EXPECT_EQ(Joined(arrived).to, at_.remote);
}

TEST_P(Fragments, BeforeTheFirstGoOnAsTheyCame) {
  const Frame second = Split(Build(question_), kSize)[1];
  ExpectUntouched(Arrive(second), second);
}

TEST_P(Fragments, OfNobodysDatagramGoOnAsTheyCame) {
  ++question_.to.port;
  for (const Frame& frame : Split(Build(question_), kSize)) ExpectUntouched(Arrive(frame), frame);
  EXPECT_EQ(Flows(), 0u);
}

TEST_P(Fragments, OfADatagramWithoutAnEndpointAreRefusedOnce) {
  PacketTest::Serve({at_.vip}, {}, SHUNT_UDP);
  const std::vector<Frame> fragments = Split(Build(question_), kSize);
  EXPECT_EQ(Arrive(fragments[0]).fate, Fate::kSentBack);
  ExpectUntouched(Arrive(fragments[1]), fragments[1]);
}

INSTANTIATE_TEST_SUITE_P(, Fragments, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& info) {
                           return std::string(info.param == Family::kIpv4 ? "Ipv4" : "Ipv6");
                         });

}  // namespace
}  // namespace shunt::testing
