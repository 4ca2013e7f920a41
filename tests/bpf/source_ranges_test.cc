// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/net_namespace.h"

namespace shunt::testing {
namespace {

// spec.loadBalancerSourceRanges at the socket.
class SourceRanges : public DatapathTest {
 protected:
  void Offer(const std::vector<std::string>& ranges) { Apply(StateWith(ranges)); }

  DatapathState StateWith(const std::vector<std::string>& ranges) const {
    DatapathState state = MakeState({{"web", SHUNT_TCP, {vip_, vip6_}, {pod_, pod6_}},
                                     {"web", SHUNT_UDP, {vip_, vip6_}, {pod_, pod6_}}});
    for (auto& [name, port] : state) {
      ServicePortState with = *port;
      for (Frontend& frontend : with.frontends) {
        frontend.kind = SHUNT_LOAD_BALANCER_IP;
        frontend.checks_source = true;
      }
      for (const std::string& range : ranges) with.sources.push_back(*Cidr::Parse(range));
      std::sort(with.sources.begin(), with.sources.end());
      port = std::make_shared<const ServicePortState>(with);
    }
    return state;
  }

  void ServePods() {
    for (shunt_protocol protocol : {SHUNT_TCP, SHUNT_UDP}) Serve({pod_, pod6_}, protocol);
  }

  DialResult DialFrom(const std::string& source, const HostPort& to) const {
    return Dial(to, {.source = *IpAddress::Parse(source)});
  }

  const HostPort vip_ = HostPort::Of("203.0.113.5:80"), vip6_ = HostPort::Of("[2001:db8::5]:80");
  const HostPort pod_ = HostPort::Of("10.244.9.9:80"), pod6_ = HostPort::Of("[fd00:10:244::9]:80");
};

TEST_F(SourceRanges, OnlyClientsInARangeConnect) {
  ServePods();
  ASSERT_TRUE(
      AddLoopbackAddresses({*IpAddress::Parse("192.0.2.7"), *IpAddress::Parse("192.0.2.8"),
                            *IpAddress::Parse("2001:db8:1::7"), *IpAddress::Parse("2001:db8:2::7")})
          .ok());
  Offer({"192.0.2.7/32", "2001:db8:1::/48"});
  EXPECT_EQ(DialFrom("192.0.2.7", vip_).answer, pod_.ToString());
  EXPECT_EQ(DialFrom("192.0.2.8", vip_).error, ETIMEDOUT);
  EXPECT_EQ(DialFrom("2001:db8:1::7", vip6_).answer, pod6_.ToString());
  EXPECT_EQ(DialFrom("2001:db8:2::7", vip6_).error, ETIMEDOUT);
  EXPECT_EQ(Runs(SHUNT_SOURCE_DENIED), 2u);
}

TEST_F(SourceRanges, NobodyConnectsWithoutAnyReadableRange) {
  ServePods();
  ASSERT_TRUE(AddLoopbackAddresses({*IpAddress::Parse("192.0.2.7")}).ok());
  Offer({});
  EXPECT_EQ(DialFrom("192.0.2.7", vip_).error, ETIMEDOUT);
}

TEST_F(SourceRanges, APodIsKnownByTheAddressOfItsInterfaceWithoutABind) {
  ServePods();
  absl::StatusOr<NetNamespace> pod = NetNamespace::Make();
  ASSERT_TRUE(pod.ok()) << pod.status();
  const absl::Status connected = pod->Connect("shunt-t1", "10.244.1.1/24", "10.244.1.5/24");
  ASSERT_TRUE(connected.ok()) << connected;
  const auto dial = [&](Transport transport) {
    DialResult result;
    pod->Run([&] { result = Dial(vip_, {.transport = transport}); });
    return result;
  };
  for (Transport transport : {Transport::kTcp, Transport::kUdp, Transport::kUdpConnected}) {
    Offer({"10.244.1.5/32"});
    EXPECT_EQ(dial(transport).answer, pod_.ToString());
    Offer({"10.244.1.6/31"});
    EXPECT_EQ(dial(transport).error, ETIMEDOUT);
  }
}

TEST_F(SourceRanges, AnIpv6PodIsKnownByItsGlobalAddress) {
  ServePods();
  absl::StatusOr<NetNamespace> pod = NetNamespace::Make();
  ASSERT_TRUE(pod.ok()) << pod.status();
  const absl::Status connected = pod->Connect("shunt-t2", "fd00:10:1::1/64", "fd00:10:1::5/64");
  ASSERT_TRUE(connected.ok()) << connected;
  Offer({"fd00:10:1::5/128"});
  DialResult result;
  pod->Run([&] { result = Dial(vip6_); });
  EXPECT_EQ(result.answer, pod6_.ToString()) << result.ToString();
  Offer({"fd00:10:1::6/128"});
  pod->Run([&] { result = Dial(vip6_); });
  EXPECT_EQ(result.error, ETIMEDOUT) << result.ToString();
}

TEST_F(SourceRanges, AreNeverOpenWhileTheyAreChanged) {
  ServePods();
  ASSERT_TRUE(
      AddLoopbackAddresses({*IpAddress::Parse("192.0.2.7"), *IpAddress::Parse("192.0.2.8")}).ok());
  Offer({"192.0.2.7/32"});
  std::atomic<bool> stop = false;
  std::atomic<int> denied = 0, entered = 0, kept = 0, lost = 0;
  std::thread intruder([&] {
    while (!stop) ++(DialFrom("192.0.2.8", vip_).error == 0 ? entered : denied);
  });
  std::thread guest([&] {
    while (!stop) ++(DialFrom("192.0.2.7", vip_).error == 0 ? kept : lost);
  });
  for (int i = 0; i < 500; ++i) {
    const std::vector<std::string> ranges =
        i % 3 == 0   ? std::vector<std::string>{"192.0.2.7/32", "198.51.100.0/24"}
        : i % 3 == 1 ? std::vector<std::string>{"192.0.2.6/31"}
                     : std::vector<std::string>{"192.0.2.0/29", "2001:db8::/32"};
    ApplyChanges({.changed = StateWith(ranges), .complete = true});
  }
  stop = true;
  intruder.join();
  guest.join();
  EXPECT_GT(denied, 0);
  EXPECT_EQ(entered, 0) << "of " << denied + entered;
  EXPECT_GT(kept, 0);
  EXPECT_EQ(lost, 0) << "of " << kept + lost;
}

}  // namespace
}  // namespace shunt::testing
