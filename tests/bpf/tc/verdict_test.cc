// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bpf/tc/packet_test.h"

namespace shunt::testing {
namespace {

class EveryFamily : public PacketTest, public ::testing::WithParamInterface<Family> {
 protected:
  bool is_ipv4() const { return GetParam() == Family::kIpv4; }
  Packet Syn() const { return {.from = at_.client, .to = at_.vip}; }

  const Places at_ = PlacesOf(GetParam());
};

// What is sent back says that nobody is there, about `refused`.
void ExpectRefusal(const Outcome& outcome, const Packet& refused) {
  EXPECT_EQ(outcome.fate, Outcome::Fate::kSentBack);
  const absl::StatusOr<IcmpError> error = ReadError(outcome.frame);
  ASSERT_TRUE(error.ok()) << error.status();
  const bool is_ipv4 = refused.from.address.family() == Family::kIpv4;
  EXPECT_EQ(error->type, is_ipv4 ? 3 : 1);
  EXPECT_EQ(error->code, is_ipv4 ? 3 : 4);
  EXPECT_EQ(error->from, refused.to.address);
  EXPECT_EQ(error->to, refused.from.address);
  EXPECT_EQ(error->about.from, refused.from);
  EXPECT_EQ(error->about.to, refused.to);
  EXPECT_TRUE(error->checksums_fit);
  const Frame sent = Build(refused);
  EXPECT_EQ(Frame(outcome.frame.begin(), outcome.frame.begin() + 6),
            Frame(sent.begin() + 6, sent.begin() + 12));
}

TEST_P(EveryFamily, WithoutAnEndpointTheClientIsToldThatNobodyIsThere) {
  PacketTest::Serve({at_.vip}, {});
  ExpectRefusal(Arrive(Build(Syn())), Syn());
  EXPECT_EQ(Runs(SHUNT_NO_ENDPOINT), 1u);
  EXPECT_EQ(Flows(), 0u);
}

TEST_P(EveryFamily, TheRefusalOfALongDatagramHoldsItsBeginning) {
  PacketTest::Serve({at_.vip}, {}, SHUNT_UDP);
  Packet packet = Syn();
  packet.protocol = SHUNT_UDP;
  packet.payload = std::string(1201, 'x');
  const Outcome outcome = Arrive(Build(packet));
  ExpectRefusal(outcome, packet);
  EXPECT_LT(outcome.frame.size(), 120u);
}

TEST_P(EveryFamily, RefusalsAreLimited) {
  PacketTest::Serve({at_.vip}, {});
  int refused = 0, dropped = 0;
  for (int i = 0; i < 1000; ++i) {
    const Outcome outcome = Arrive(Build(Syn()));
    refused += outcome.fate == Fate::kSentBack;
    dropped += outcome.fate == Fate::kDropped;
  }
  EXPECT_EQ(refused + dropped, 1000);
  EXPECT_GE(refused, 50);
  EXPECT_EQ(Runs(SHUNT_NO_ENDPOINT), 1000u);
}

TEST_P(EveryFamily, WithEndpointsOnOtherNodesOnlyALocalPolicyDrops) {
  PacketTest::Serve({at_.vip}, {On(at_.remote, false)}, SHUNT_TCP, [](ServicePortState& state) {
    Frontend outside = state.frontends[0];
    outside.key.scope = SHUNT_SCOPE_OUTSIDE;
    outside.list = BackendList::kLocal;
    outside.when_empty = SHUNT_NO_LOCAL_ENDPOINT;
    state.frontends.push_back(outside);
  });
  EXPECT_EQ(Arrive(Build(Syn())).fate, Fate::kDropped);
  EXPECT_EQ(Runs(SHUNT_NO_LOCAL_ENDPOINT), 1u);
}

TEST_P(EveryFamily, OnlySourcesThatAreNamedComeIn) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, SHUNT_TCP, [&](ServicePortState& state) {
    state.frontends[0].checks_source = true;
    state.sources = {Cidr::Of(at_.client.address)};
  });
  EXPECT_EQ(Arrived(Syn()).to, at_.local);
  Packet stranger = Syn();
  stranger.from.address = at_.router.address;
  EXPECT_EQ(Arrive(Build(stranger)).fate, Fate::kDropped);
  EXPECT_EQ(Runs(SHUNT_SOURCE_DENIED), 1u);
}

TEST_P(EveryFamily, WhatIsForTheHostAloneIsNothingToAPacket) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, SHUNT_TCP,
                    [](ServicePortState& state) { state.frontends[0].host_only = true; });
  const Frame frame = Build(Syn());
  ExpectUntouched(Arrive(frame), frame);
}

TEST_P(EveryFamily, WhatIsForNobodyGoesOnAsItCame) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)});
  Packet other_port = Syn(), other_protocol = Syn();
  other_port.to.port = 22;
  other_protocol.protocol = SHUNT_UDP;
  for (const Packet& packet : {other_port, other_protocol, AnswerTo(Syn())}) {
    const Frame frame = Build(packet);
    ExpectUntouched(Arrive(frame), frame);
    ExpectUntouched(Leave(frame), frame);
  }
  EXPECT_EQ(Runs(SHUNT_NOT_A_SERVICE), 6u);
  EXPECT_EQ(Flows(), 0u);
}

TEST_P(EveryFamily, WhoCannotBeAnsweredIsLeftToTheStack) {
  PacketTest::Serve({at_.vip}, {});
  std::vector<const char*> martians = {"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"};
  if (!is_ipv4()) martians = {"::1", "::", "ff02::1"};
  for (const char* martian : martians) {
    Packet packet = Syn();
    packet.from.address = IpAddress::Parse(martian).value();
    const Frame frame = Build(packet);
    ExpectUntouched(Arrive(frame), frame);
  }
  Packet land = Syn();
  land.from = land.to;
  ExpectUntouched(Arrive(Build(land)), Build(land));
}

TEST_P(EveryFamily, WithoutAnAddressToLeaveWithAFlowForAnotherNodeIsDropped) {
  PacketTest::Serve({at_.vip}, {On(at_.remote, false)});
  const Packet forwarded = Arrived(Syn());
  EXPECT_EQ(Leave(Build(forwarded)).fate, Fate::kDropped);
  EXPECT_EQ(Runs(SHUNT_NO_MEMORY), 1u);
}

INSTANTIATE_TEST_SUITE_P(, EveryFamily, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& info) {
                           return std::string(info.param == Family::kIpv4 ? "Ipv4" : "Ipv6");
                         });

}  // namespace
}  // namespace shunt::testing
