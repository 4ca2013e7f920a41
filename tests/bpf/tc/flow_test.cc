// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "tests/bpf/tc/packet_test.h"

namespace shunt::testing {
namespace {

constexpr uint64_t kHour = 3600;

// What every flow does, whatever its family and protocol.
class EveryFlow : public PacketTest,
                  public ::testing::WithParamInterface<std::tuple<Family, shunt_protocol>> {
 protected:
  const Places at_ = PlacesOf(std::get<0>(GetParam()));
  const shunt_protocol protocol_ = std::get<1>(GetParam());

  Packet FromClient(uint8_t flags = kSyn, const std::string& payload = "") const {
    return {.from = at_.client,
            .to = at_.vip,
            .protocol = protocol_,
            .flags = flags,
            .payload = payload};
  }
};

TEST_P(EveryFlow, GoesToABackendOfThisNodeAsItselfAndIsAnsweredByWhomItDialled) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, protocol_);
  const Packet request = Arrived(FromClient(kSyn, "odd"));
  EXPECT_EQ(request.from, at_.client);
  EXPECT_EQ(request.to, at_.local);
  EXPECT_EQ(request.payload, "odd");
  const Packet answer = Left(AnswerTo(request));
  EXPECT_EQ(answer.from, at_.vip);
  EXPECT_EQ(answer.to, at_.client);
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), 1u);
  EXPECT_EQ(Runs(SHUNT_RESTORED), 1u);
  EXPECT_EQ(Flows(), 2u);
}

TEST_P(EveryFlow, LeavesForAnotherNodeWithAnAddressOfThisOneSoThatTheAnswerComesBack) {
  PacketTest::Serve({at_.vip}, {On(at_.remote, false)}, protocol_);
  MakeDevice();
  const Packet forwarded = Arrived(FromClient());
  EXPECT_EQ(forwarded.from, at_.client);
  const Packet request = Left(forwarded);
  EXPECT_EQ(request.from.address, at_.node);
  EXPECT_EQ(request.to, at_.remote);
  const Packet returned = Arrived(AnswerTo(request));
  EXPECT_EQ(returned.from, at_.remote);
  EXPECT_EQ(returned.to, at_.client);
  const Packet answer = Left(returned);
  EXPECT_EQ(answer.from, at_.vip);
  EXPECT_EQ(answer.to, at_.client);
  EXPECT_EQ(Flows(), 4u);
}

TEST_P(EveryFlow, KeepsItsBackendAndItsPort) {
  std::vector<Backend> many;
  for (const HostPort& place : Range(at_.remote.ToString(), 50)) many.push_back(On(place, false));
  PacketTest::Serve({at_.vip}, many, protocol_);
  MakeDevice();
  const Packet first = Left(Arrived(FromClient()));
  for (int i = 0; i < 20; ++i) {
    const Packet next = Left(Arrived(FromClient(kAck, "more")));
    ASSERT_EQ(next.from, first.from);
    ASSERT_EQ(next.to, first.to);
  }
  EXPECT_EQ(Flows(), 4u);
}

TEST_P(EveryFlow, GoesToAnotherBackendOnceItsOwnIsGone) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, protocol_);
  EXPECT_EQ(Arrived(FromClient()).to, at_.local);
  PacketTest::Serve({at_.vip}, {On(at_.remote, false)}, protocol_);
  EXPECT_EQ(Arrived(FromClient(kAck)).to, at_.remote);
}

TEST_P(EveryFlow, StaysWithABackendThatTakesNoNewOnes) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, protocol_);
  Arrived(FromClient());
  Backend draining = On(at_.local, true);
  draining.in_cluster_list = false;
  PacketTest::Serve({at_.vip}, {draining, On(at_.remote, false)}, protocol_);
  EXPECT_EQ(Arrived(FromClient(kAck)).to, at_.local);
  Packet other_client = FromClient();
  ++other_client.from.port;
  EXPECT_EQ(Arrived(other_client).to, at_.remote);
}

TEST_P(EveryFlow, OfAPodThatReachesItselfLeavesWithAnAddressOfTheNode) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, protocol_);
  MakeDevice();
  Packet packet = FromClient();
  packet.from.address = at_.local.address;
  const Packet request = Left(Arrived(packet));
  EXPECT_EQ(request.from.address, at_.node);
  EXPECT_EQ(request.to, at_.local);
  const Packet answer = Left(Arrived(AnswerTo(request)));
  EXPECT_EQ(answer.from, at_.vip);
  EXPECT_EQ(answer.to, packet.from);
}

TEST_P(EveryFlow, OfOneClientPortByTwoFrontendsGoesToBackendsThatCanBeToldApart) {
  PacketTest::Serve({at_.vip, at_.other}, {On(at_.local, true), On(at_.remote, true)}, protocol_);
  Packet first = FromClient(), second = FromClient();
  second.to = at_.other;
  // With a chance of 1 in 16 no other backend is met in four choices.
  const Packet one = Arrived(first);
  const Outcome outcome = Arrive(Build(second));
  if (outcome.fate == Fate::kDropped) return;
  const Packet two = GoneOn(outcome);
  EXPECT_NE(one.to, two.to);
  EXPECT_EQ(Left(AnswerTo(one)).from, at_.vip);
  EXPECT_EQ(Left(AnswerTo(two)).from, at_.other);
}

TEST_P(EveryFlow, ThatCouldNotBeToldFromAnotherIsDroppedAndTheOtherGoesOn) {
  PacketTest::Serve({at_.vip, at_.other}, {On(at_.local, true)}, protocol_);
  const Packet first = Arrived(FromClient());
  Packet second = FromClient();
  second.to = at_.other;
  EXPECT_EQ(Arrive(Build(second)).fate, Fate::kDropped);
  EXPECT_EQ(Runs(SHUNT_NO_MEMORY), 1u);
  EXPECT_EQ(Left(AnswerTo(first)).from, at_.vip);
}

// A client gives its port to another connection as soon as the last one has ended.
TEST_P(EveryFlow, ThatIsOverGivesWayToOneOfTheSamePortByAnotherFrontend) {
  PacketTest::Serve({at_.vip, at_.other}, {On(at_.local, true)}, protocol_);
  const Packet first = Arrived(FromClient());
  Left(AnswerTo(first));
  Arrived(FromClient(kFin | kAck));
  Left(AnswerTo(first, kFin | kAck));
  if (protocol_ == SHUNT_UDP) Age(3);
  Packet second = FromClient();
  second.to = at_.other;
  EXPECT_EQ(Left(AnswerTo(Arrived(second))).from, at_.other);
  EXPECT_EQ(Flows(), 2u);
}

TEST_P(EveryFlow, IsForgottenAfterItsTime) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, protocol_);
  const Packet request = Arrived(FromClient());
  Left(AnswerTo(request));
  Age(protocol_ == SHUNT_UDP ? 121 : 25 * kHour);
  const Frame late = Build(AnswerTo(request, kAck));
  ExpectUntouched(Leave(late), late);
}

TEST_P(EveryFlow, ThatIsUsedInOneDirectionLivesInBoth) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, protocol_);
  const Packet request = Arrived(FromClient());
  Left(AnswerTo(request));
  for (int i = 0; i < 3; ++i) {
    Age(protocol_ == SHUNT_UDP ? 100 : 20 * kHour);
    EXPECT_EQ(Left(AnswerTo(request, kAck)).from, at_.vip);
  }
  EXPECT_EQ(Arrived(FromClient(kAck)).to, at_.local);
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), 1u);
}

TEST_P(EveryFlow, ThatWasNeverAnsweredIsForgottenSoon) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, protocol_);
  Arrived(FromClient());
  Age(protocol_ == SHUNT_UDP ? 31 : 121);
  Arrived(FromClient());
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), 2u);
}

TEST_P(EveryFlow, OfAClientWithAffinityStaysWithItsBackend) {
  std::vector<Backend> many;
  for (const HostPort& place : Range(at_.local.ToString(), 50)) many.push_back(On(place, true));
  PacketTest::Serve({at_.vip}, many, protocol_,
                    [](ServicePortState& state) { state.affinity_timeout_s = 100; });
  std::set<HostPort> backends;
  for (int i = 0; i < 20; ++i) {
    Packet packet = FromClient();
    packet.from.port += i;
    backends.insert(Arrived(packet).to);
  }
  EXPECT_EQ(backends.size(), 1u);
}

std::string FlowName(const ::testing::TestParamInfo<std::tuple<Family, shunt_protocol>>& info) {
  const auto [family, protocol] = info.param;
  return ProtocolText(protocol) + (family == Family::kIpv4 ? "4" : "6");
}

INSTANTIATE_TEST_SUITE_P(, EveryFlow,
                         ::testing::Combine(::testing::Values(Family::kIpv4, Family::kIpv6),
                                            ::testing::Values(SHUNT_TCP, SHUNT_UDP)),
                         FlowName);

using Flow = PacketTest;

const Places kAt = PlacesOf(Family::kIpv4);

TEST_F(Flow, OfUdpWithoutAChecksumKeepsHavingNone) {
  PacketTest::Serve({kAt.vip}, {On(kAt.local, true)}, SHUNT_UDP);
  const Packet request = Arrived({.from = kAt.client,
                                  .to = kAt.vip,
                                  .protocol = SHUNT_UDP,
                                  .payload = "x",
                                  .has_checksum = false});
  EXPECT_EQ(request.to, kAt.local);
  EXPECT_FALSE(request.has_checksum);
}

TEST_F(Flow, WithOptionsOfIpv4IsReadBehindThem) {
  PacketTest::Serve({kAt.vip}, {On(kAt.local, true)});
  const Packet request = Arrived(
      {.from = kAt.client, .to = kAt.vip, .extra = std::string("\x07\x07\x04\0\0\0\0\0", 8)});
  EXPECT_EQ(request.to, kAt.local);
}

TEST_F(Flow, WithExtensionHeadersOfIpv6IsReadBehindThem) {
  const Places at = PlacesOf(Family::kIpv6);
  PacketTest::Serve({at.vip}, {On(at.local, true)});
  const std::string destination_options({SHUNT_TCP, 0, 1, 4, 0, 0, 0, 0});
  const std::string hop_by_hop({60, 0, 1, 4, 0, 0, 0, 0});
  const Packet request = Arrived({.from = at.client,
                                  .to = at.vip,
                                  .extra = hop_by_hop + destination_options,
                                  .first_extension = 0});
  EXPECT_EQ(request.to, at.local);
}

TEST_F(Flow, ThatHasEndedGivesItsPortToANewConnection) {
  PacketTest::Serve({kAt.vip}, {On(kAt.local, true)});
  const Packet syn = {.from = kAt.client, .to = kAt.vip, .flags = kSyn};
  Packet fin = syn;
  fin.flags = kFin | kAck;
  const Packet request = Arrived(syn);
  Left(AnswerTo(request));
  Arrived(fin);
  Left(AnswerTo(request, kFin | kAck));
  PacketTest::Serve({kAt.vip}, {On(kAt.remote, true), [] {
                                  Backend draining = On(kAt.local, true);
                                  draining.in_cluster_list = false;
                                  return draining;
                                }()});
  Packet last_ack = syn;
  last_ack.flags = kAck;
  EXPECT_EQ(Arrived(last_ack).to, kAt.local);
  EXPECT_EQ(Arrived(syn).to, kAt.remote);
}

TEST_F(Flow, ThatHasEndedIsNotMetByAConnectionThatTheClientMakesToTheBackendItself) {
  PacketTest::Serve({kAt.vip}, {On(kAt.local, true)});
  const Packet syn = {.from = kAt.client, .to = kAt.vip, .flags = kSyn};
  Packet fin = syn;
  fin.flags = kFin | kAck;
  const Packet request = Arrived(syn);
  Left(AnswerTo(request));
  Arrived(fin);
  Left(AnswerTo(request, kFin | kAck));
  for (const uint8_t flags : {uint8_t{kSyn | kAck}, kAck}) {
    const Frame answer = Build(AnswerTo(request, flags));
    ExpectUntouched(Leave(answer), answer);
  }
}

TEST_F(Flow, ThatFollowsAnEndedOneToAnotherNodeLivesAsLongAsAnyOther) {
  PacketTest::Serve({kAt.vip}, {On(kAt.remote, false)});
  MakeDevice();
  Packet packet = {.from = kAt.client, .to = kAt.vip, .flags = kSyn};
  for (int i = 0; i < 2; ++i) {
    packet.flags = kSyn;
    const Packet request = Left(Arrived(packet));
    Left(Arrived(AnswerTo(request)));
    if (i == 1) Age(20 * kHour);
    packet.flags = kFin | kAck;
    EXPECT_EQ(Left(Arrived(packet)).from, request.from);
    EXPECT_EQ(Left(Arrived(AnswerTo(request, kFin | kAck))).from, kAt.vip);
  }
}

TEST_F(Flow, ThatOneSideHasEndedIsKeptForAnHourAndOneThatWasResetForSeconds) {
  PacketTest::Serve({kAt.vip}, {On(kAt.local, true)});
  Packet packet = {.from = kAt.client, .to = kAt.vip, .flags = kSyn};
  const Packet request = Arrived(packet);
  Left(AnswerTo(request));
  packet.flags = kFin | kAck;
  Arrived(packet);
  Age(kHour - 10);
  EXPECT_EQ(Left(AnswerTo(request, kAck)).from, kAt.vip);
  EXPECT_EQ(Left(AnswerTo(request, kRst)).from, kAt.vip);
  Age(11);
  const Frame late = Build(AnswerTo(request, kAck));
  ExpectUntouched(Leave(late), late);
}

TEST_F(Flow, ThatTheTableForgotInOneDirectionIsMadeAgainByTheOther) {
  PacketTest::Serve({kAt.vip}, {On(kAt.local, true)}, SHUNT_UDP);
  const Packet packet = {.from = kAt.client, .to = kAt.vip, .protocol = SHUNT_UDP};
  const Packet request = Arrived(packet);
  ForgetLeaving();
  Age(5);
  Arrived(packet);
  EXPECT_EQ(Left(AnswerTo(request)).from, kAt.vip);
}

TEST_F(Flow, OfManyClientsToOneBackendHasAPortOfItsOwnThatIsNoneOfTheHostsSockets) {
  PacketTest::Serve({kAt.vip}, {On(kAt.remote, false)}, SHUNT_UDP);
  MakeDevice();
  const uint16_t first = datapath().config().first_local_port;
  const uint16_t last = datapath().config().last_local_port;
  std::set<uint16_t> ports;
  for (int i = 0; i < 2000; ++i) {
    Packet packet = {.from = kAt.client, .to = kAt.vip, .protocol = SHUNT_UDP};
    packet.from.port = 10000 + i;
    const uint16_t port = Left(Arrived(packet)).from.port;
    EXPECT_TRUE(ports.insert(port).second) << port << " twice";
    EXPECT_TRUE(port < first || port > last) << port;
  }
}

}  // namespace
}  // namespace shunt::testing
