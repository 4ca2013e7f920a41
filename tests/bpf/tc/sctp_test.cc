// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bpf/tc/packet_test.h"

namespace shunt::testing {
namespace {

constexpr uint8_t kData = 0, kInit = 1, kInitAck = 2, kAbort = 6, kShutdown = 7, kShutdownAck = 8;

// SCTP, whose checksum is over the ports: they stay. The frontend has the port of
// its backends.
class Sctp : public PacketTest, public ::testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    MakeDevice();
  }
  void ServeBy(const Backend& backend) { PacketTest::Serve({vip_}, {backend}, SHUNT_SCTP); }

  Packet FromClient(uint8_t chunk = kInit) const {
    return {.from = at_.client,
            .to = vip_,
            .protocol = SHUNT_SCTP,
            .chunk = chunk,
            .payload = "four and one"};
  }
  static Packet Answer(const Packet& packet, uint8_t chunk) {
    Packet answer = AnswerTo(packet);
    answer.chunk = chunk;
    return answer;
  }

  const Places at_ = PlacesOf(GetParam());
  const HostPort vip_ = {at_.other.address, at_.local.port};
};

TEST_P(Sctp, GoesToABackendOfThisNodeAndIsAnsweredByWhomItDialled) {
  ServeBy(On(at_.local, true));
  const Packet request = Arrived(FromClient());
  EXPECT_EQ(request.from, at_.client);
  EXPECT_EQ(request.to, at_.local);
  EXPECT_EQ(request.payload, "four and one");
  const Packet answer = Left(Answer(request, kInitAck));
  EXPECT_EQ(answer.from, vip_);
  EXPECT_EQ(answer.to, at_.client);
}

TEST_P(Sctp, LeavesForAnotherNodeWithAnAddressOfThisOneAndThePortOfTheClient) {
  ServeBy(On(at_.remote, false));
  const Packet request = Left(Arrived(FromClient()));
  EXPECT_EQ(request.from, (HostPort{at_.node, at_.client.port}));
  EXPECT_EQ(request.to, at_.remote);
  const Packet answer = Left(Arrived(Answer(request, kInitAck)));
  EXPECT_EQ(answer.from, vip_);
  EXPECT_EQ(answer.to, at_.client);
}

TEST_P(Sctp, OfTwoClientsWithOnePortToOneBackendElsewhereTheSecondIsDropped) {
  ServeBy(On(at_.remote, false));
  Left(Arrived(FromClient()));
  Packet second = FromClient();
  second.from.address = at_.router.address;
  EXPECT_EQ(Leave(Build(Arrived(second))).fate, Fate::kDropped);
  EXPECT_EQ(Runs(SHUNT_NO_MEMORY), 1u);
}

TEST_P(Sctp, AtAPortThatIsNotTheBackendsIsLeftAlone) {
  PacketTest::Serve({at_.vip}, {On(at_.local, true)}, SHUNT_SCTP);
  Packet packet = FromClient();
  packet.to = at_.vip;
  const Frame frame = Build(packet);
  ExpectUntouched(Arrive(frame), frame);
  EXPECT_EQ(Runs(SHUNT_LEFT_ALONE), 1u);
  EXPECT_EQ(Flows(), 0u);
}

TEST_P(Sctp, WithoutAnEndpointIsRefused) {
  PacketTest::Serve({vip_}, {}, SHUNT_SCTP);
  const Outcome outcome = Arrive(Build(FromClient()));
  EXPECT_EQ(outcome.fate, Fate::kSentBack);
  const absl::StatusOr<IcmpError> error = ReadError(outcome.frame);
  ASSERT_TRUE(error.ok()) << error.status();
  EXPECT_TRUE(error->checksums_fit);
  EXPECT_EQ(error->about.protocol, SHUNT_SCTP);
  EXPECT_EQ(error->about.to, vip_);
}

TEST_P(Sctp, IsForgottenHalfAMinuteAfterItWasNotAnsweredAndAfterItEnded) {
  ServeBy(On(at_.local, true));
  const Packet request = Arrived(FromClient());
  Age(31);
  const Frame late = Build(Answer(request, kInitAck));
  ExpectUntouched(Leave(late), late);
  Arrived(FromClient());
  Left(Answer(request, kInitAck));
  Age(200);
  EXPECT_EQ(Left(Answer(request, kData)).from, vip_);
  Arrived(FromClient(kShutdown));
  Left(Answer(request, kShutdownAck));
  Age(29);
  EXPECT_EQ(Left(Answer(request, kData)).from, vip_);
  Age(31);
  const Frame last = Build(Answer(request, kData));
  ExpectUntouched(Leave(last), last);
}

TEST_P(Sctp, ThatWasAbortedIsForgottenSoonAndBeginsAnew) {
  ServeBy(On(at_.local, true));
  const Packet request = Arrived(FromClient());
  Left(Answer(request, kAbort));
  Age(11);
  const Frame late = Build(Answer(request, kData));
  ExpectUntouched(Leave(late), late);
  EXPECT_EQ(Arrived(FromClient()).to, at_.local);
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), 2u);
}

TEST_P(Sctp, CutAnywhereIsLeftToTheStack) {
  ServeBy(On(at_.local, true));
  const Frame whole = Build(FromClient());
  for (size_t length = kLinkHeader + 40; length < whole.size(); ++length) {
    const Frame cut(whole.begin(), whole.begin() + length);
    ExpectUntouched(Arrive(cut), cut);
  }
}

INSTANTIATE_TEST_SUITE_P(, Sctp, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& info) {
                           return std::string(info.param == Family::kIpv4 ? "Ipv4" : "Ipv6");
                         });

}  // namespace
}  // namespace shunt::testing
