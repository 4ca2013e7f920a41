// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/bpf/tc/packet_test.h"
#include "tests/support/command.h"
#include "tests/support/files.h"

namespace shunt::testing {
namespace {

// Packets of pods of this node, of the node itself, and of all others.
class Origin : public PacketTest, public ::testing::WithParamInterface<Family> {
 protected:
  Datapath::Options options() const override {
    Datapath::Options options = PacketTest::options();
    options.masquerade_all = masquerade_all();
    return options;
  }
  virtual bool masquerade_all() const { return false; }

  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    MakeDevice();
    KnowPods();
  }

  // What detectLocalMode says: those of the network of `local` are pods.
  void KnowPods(shunt_origin others = SHUNT_ORIGIN_OUTSIDE) {
    const bool is_ipv4 = GetParam() == Family::kIpv4;
    const absl::Status set = datapath().SetOrigins(
        {{Cidr::Parse(is_ipv4 ? "0.0.0.0/0" : "::/0").value(), others},
         {Cidr::Make(at_.local.address, is_ipv4 ? 24 : 64).value(), SHUNT_ORIGIN_POD},
         {Cidr::Of(at_.node), SHUNT_ORIGIN_HOST}});
    ASSERT_TRUE(set.ok()) << set;
  }

  void ServeBy(shunt_frontend_kind kind, const std::vector<Backend>& backends) {
    PacketTest::Serve({at_.vip}, backends, SHUNT_TCP,
                      [kind](ServicePortState& state) { state.frontends[0].kind = kind; });
  }
  // Under externalTrafficPolicy Local, without a backend here.
  void ServeLocally() {
    PacketTest::Serve({at_.vip}, {On(at_.remote, false)}, SHUNT_TCP, [](ServicePortState& state) {
      state.frontends[0].kind = SHUNT_NODE_PORT;
      Frontend outside = state.frontends[0];
      outside.key.scope = SHUNT_SCOPE_OUTSIDE;
      outside.list = BackendList::kLocal;
      outside.when_empty = SHUNT_NO_LOCAL_ENDPOINT;
      state.frontends.push_back(outside);
    });
  }

  HostPort Pod() const {
    HostPort pod = at_.local;
    pod.address = Range(pod.ToString(), 2)[1].address;
    pod.port = 40000;
    return pod;
  }
  Packet From(const HostPort& client) const { return {.from = client, .to = at_.vip}; }
  // The address that the backend sees.
  IpAddress SeenOf(const HostPort& client) { return Left(Arrived(From(client))).from.address; }

  const Places at_ = PlacesOf(GetParam());
};

TEST_P(Origin, AClusterIpShowsAPodAsItselfAndOthersAsThisNode) {
  for (const bool here : {true, false}) {
    ServeBy(SHUNT_CLUSTER_IP, {here ? On(at_.local, true) : On(at_.remote, false)});
    EXPECT_EQ(SeenOf(Pod()), Pod().address);
    EXPECT_EQ(SeenOf(at_.client), at_.node);
  }
}

TEST_P(Origin, WhereNobodySaysWhoIsAPodAClusterIpHidesWhoCouldNotBeAnswered) {
  KnowPods(SHUNT_ORIGIN_UNKNOWN);
  ServeBy(SHUNT_CLUSTER_IP, {On(at_.local, true)});
  EXPECT_EQ(SeenOf(at_.client), at_.client.address);
  ServeBy(SHUNT_CLUSTER_IP, {On(at_.remote, false)});
  EXPECT_EQ(SeenOf(at_.client), at_.node);
}

TEST_P(Origin, AClientThatWasHiddenInAConnectionThatHasEndedIsSeenInTheNextFromItsPort) {
  PacketTest::Serve({at_.vip, at_.other}, {On(at_.local, true)}, SHUNT_TCP,
                    [](ServicePortState& state) {
                      state.frontends[0].kind = SHUNT_CLUSTER_IP;
                      state.frontends[1].kind = SHUNT_NODE_PORT;
                    });
  Packet sent = From(at_.client);
  ASSERT_EQ(Left(Arrived(sent)).from.address, at_.node);
  sent.flags = kFin | kAck;
  Left(Arrived(AnswerTo(Left(Arrived(sent)), kFin | kAck)));
  EXPECT_EQ(Left(Arrived({.from = at_.client, .to = at_.other})).from, at_.client);
}

// It may be one of another node, whom the answer would reach from elsewhere.
TEST_P(Origin, ANodePortHidesAPodFromABackendElsewhere) {
  ServeBy(SHUNT_NODE_PORT, {On(at_.remote, false)});
  EXPECT_EQ(SeenOf(Pod()), at_.node);
}

TEST_P(Origin, ALocalPolicyIsNotForPods) {
  ServeLocally();
  EXPECT_EQ(SeenOf(Pod()), Pod().address);
  EXPECT_EQ(Arrive(Build(From(at_.client))).fate, Fate::kDropped);
}

TEST_P(Origin, ALocalPolicyIsNotForTheHostWhichLeavesWithItsAddressOnTheWayOut) {
  ServeLocally();
  const Packet sent = Left(Arrived(From({at_.node, 40000})));
  EXPECT_EQ(sent.to, at_.remote);
  EXPECT_NE(sent.from.port, 40000);
  EXPECT_EQ(sent.from.address, at_.node);
}

TEST_P(Origin, OfADeviceOfPodsIsAPodWhateverItsAddress) {
  const absl::Status set = datapath().SetDevices({{.index = device(),
                                                   .name = "uplink",
                                                   .is_of_pods = true,
                                                   .address4 = at_.node,
                                                   .address6 = at_.node}});
  ASSERT_TRUE(set.ok()) << set;
  ServeBy(SHUNT_CLUSTER_IP, {On(at_.remote, false)});
  EXPECT_EQ(SeenOf(at_.client), at_.client.address);
}

TEST_P(Origin, ThatIsNoLongerNamedIsForgotten) {
  ASSERT_TRUE(datapath().SetOrigins({}).ok());
  ServeBy(SHUNT_CLUSTER_IP, {On(at_.remote, false)});
  EXPECT_EQ(SeenOf(Pod()), at_.node);
}

// Two pods behind one bridge answer each other directly.
TEST_P(Origin, APodIsHiddenFromOneBehindTheSameDevice) {
  const bool is_ipv4 = GetParam() == Family::kIpv4;
  const Cidr pods = Cidr::Make(at_.local.address, is_ipv4 ? 24 : 64).value();
  for (const char* forwarding :
       {"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"}) {
    ASSERT_TRUE(WriteFile(forwarding, "1").ok());
  }
  ASSERT_TRUE(MustRun({"ip", "link", "set", "uplink", "up"}).ok());
  ASSERT_TRUE(MustRun({"ip", "link", "set", "beyond", "up"}).ok());
  ASSERT_TRUE(MustRun({"ip", "route", "add", pods.ToString(), "dev", "uplink"}).ok());
  ServeBy(SHUNT_CLUSTER_IP, {On(at_.local, true)});
  EXPECT_EQ(SeenOf(Pod()), at_.node);
}

class OriginWithMasqueradeAll : public Origin {
 protected:
  bool masquerade_all() const override { return true; }
};

TEST_P(OriginWithMasqueradeAll, AClusterIpHidesEverybodyAndANodePortNobodyMore) {
  ServeBy(SHUNT_CLUSTER_IP, {On(at_.local, true)});
  EXPECT_EQ(SeenOf(Pod()), at_.node);
  ServeBy(SHUNT_NODE_PORT, {On(at_.local, true)});
  Packet other = From(Pod());
  ++other.from.port;
  EXPECT_EQ(Left(Arrived(other)).from, other.from);
}

std::string Name(const ::testing::TestParamInfo<Family>& info) {
  return info.param == Family::kIpv4 ? "Ipv4" : "Ipv6";
}

INSTANTIATE_TEST_SUITE_P(, Origin, ::testing::Values(Family::kIpv4, Family::kIpv6), Name);
INSTANTIATE_TEST_SUITE_P(, OriginWithMasqueradeAll, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         Name);

}  // namespace
}  // namespace shunt::testing
