// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "tests/support/command.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/files.h"
#include "tests/support/wait_for.h"

namespace shunt::testing {
namespace {

// TCP sockets: the ways to connect, and what the application then sees.
class TcpSocket : public DatapathTest {
 protected:
  const HostPort vip_ = HostPort::Of("10.96.0.10:80");
  const HostPort vip6_ = HostPort::Of("[fd00:10:96::10]:80");
  const HostPort pod_ = HostPort::Of("10.244.1.5:8080");
  const HostPort pod6_ = HostPort::Of("[fd00:10:244::5]:8080");
  const ServiceSpec web_ = {"web", SHUNT_TCP, {vip_, vip6_}, {pod_, pod6_}};
  const ServiceSpec empty_ = {"web", SHUNT_TCP, {vip_, vip6_}, {}};
};

void ExpectServed(const HostPort& to, const DialOptions& how, const HostPort& by) {
  const DialResult result = Dial(to, how);
  EXPECT_EQ(result.answer, by.ToString()) << result.ToString();
  EXPECT_EQ(result.peer, to.ToString());
}

TEST_F(TcpSocket, ReachesAPodByEveryWayToConnect) {
  Serve({pod_, pod6_});
  Apply({web_});
  for (Transport transport :
       {Transport::kTcp, Transport::kTcpNonBlocking, Transport::kTcpFastOpen, Transport::kMptcp}) {
    SCOPED_TRACE(static_cast<int>(transport));
    ExpectServed(vip_, {.transport = transport}, pod_);
    ExpectServed(vip_, {.transport = transport, .mapped = true}, pod_);
    ExpectServed(vip6_, {.transport = transport}, pod6_);
  }
}

// Counters of the network namespace, "TcpExt: NAME… / TcpExt: VALUE…".
uint64_t TcpCounter(const std::string& name) {
  const std::string text = ReadFile("/proc/net/netstat").value_or("");
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  const std::vector<std::string> names = absl::StrSplit(lines.at(0), ' ');
  const std::vector<std::string> values = absl::StrSplit(lines.at(1), ' ');
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return std::stoull(values.at(i));
  }
  return 0;
}

TEST_F(TcpSocket, FastOpenCarriesDataInItsFirstPacketToThePod) {
  Serve({pod_});
  Apply({web_});
  const uint64_t before = TcpCounter("TCPFastOpenPassive");
  // The first connection learns the cookie, the second one uses it.
  ExpectServed(vip_, {.transport = Transport::kTcpFastOpen}, pod_);
  ExpectServed(vip_, {.transport = Transport::kTcpFastOpen}, pod_);
  EXPECT_GT(TcpCounter("TCPFastOpenPassive"), before);
}

TEST_F(TcpSocket, ConnectThatWaitsForDataReachesThePodToo) {
  Serve({pod_});
  Apply({web_});
  // Twice: the second time with a cookie, and then connect() sends nothing.
  for (int i = 0; i < 2; ++i) {
    UniqueFd socket = OpenSocket(vip_, {});
    const int on = 1;
    ASSERT_EQ(setsockopt(socket.get(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)), 0);
    ASSERT_EQ(Connect(socket.get(), vip_), 0);
    ASSERT_EQ(send(socket.get(), "?", 1, 0), 1) << strerror(errno);
    char answer[64];
    const ssize_t n = recv(socket.get(), answer, sizeof(answer), 0);
    ASSERT_GT(n, 0) << strerror(errno);
    EXPECT_EQ(std::string(answer, n), pod_.ToString());
    EXPECT_EQ(PeerName(socket.get()), vip_.ToString());
  }
}

TEST_F(TcpSocket, MptcpIsSpokenWithAPodThatSpeaksIt) {
  Serve({{.at = pod_, .mptcp = true}});
  Apply({web_});
  DialOptions how = {.transport = Transport::kMptcp};
  UniqueFd socket = OpenSocket(vip_, how);
  ASSERT_EQ(Connect(socket.get(), vip_), 0);
  EXPECT_EQ(PeerName(socket.get()), vip_.ToString());
  // 0 once both ends have agreed on MPTCP; ENOTSUP or so after a fall-back.
  constexpr int kSolMptcp = 284, kMptcpInfo = 1;
  char info[256];
  socklen_t length = sizeof(info);
  EXPECT_EQ(getsockopt(socket.get(), kSolMptcp, kMptcpInfo, info, &length), 0) << strerror(errno);
}

TEST_F(TcpSocket, MptcpStillShowsTheServiceAfterASecondPathWasTried) {
  // The pod announces another address; the kernel then connects a second
  // subflow to it by itself, through the same hook.
  const HostPort announced = HostPort::Of("10.244.1.6:8080");
  Serve({{.at = pod_, .mptcp = true}, {.at = announced, .mptcp = true}});
  ASSERT_TRUE(
      MustRun({"ip", "mptcp", "limits", "set", "subflow", "2", "add_addr_accepted", "2"}).ok());
  const absl::Status added = MustRun({"ip", "mptcp", "endpoint", "add", "10.244.1.6", "signal"});
  ASSERT_TRUE(added.ok()) << added;
  Apply({web_});
  UniqueFd socket = OpenSocket(vip_, {.transport = Transport::kMptcp});
  const uint64_t before = Runs(SHUNT_NOT_A_SERVICE);
  ASSERT_EQ(Connect(socket.get(), vip_), 0);
  ASSERT_TRUE(WaitFor([&] { return Runs(SHUNT_NOT_A_SERVICE) > before; })) << "no second subflow";
  EXPECT_EQ(PeerName(socket.get()), vip_.ToString());
}

TEST_F(TcpSocket, IsRefusedAtOnceWhenTheServiceHasNoPod) {
  // Were it not refused by us, somebody would answer.
  Serve({vip_, vip6_});
  Apply({empty_});
  for (Transport transport :
       {Transport::kTcp, Transport::kTcpNonBlocking, Transport::kTcpFastOpen, Transport::kMptcp}) {
    SCOPED_TRACE(static_cast<int>(transport));
    EXPECT_EQ(Dial(vip_, {.transport = transport}).error, ECONNREFUSED);
    EXPECT_EQ(Dial(vip_, {.transport = transport, .mapped = true}).error, ECONNREFUSED);
    EXPECT_EQ(Dial(vip6_, {.transport = transport}).error, ECONNREFUSED);
  }
}

TEST_F(TcpSocket, NonBlockingConnectSaysRefusedItselfAndDoesNotMakeOneWait) {
  Apply({empty_});
  UniqueFd socket = OpenSocket(vip_, {});
  fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  EXPECT_EQ(Connect(socket.get(), vip_), ECONNREFUSED);
}

TEST_F(TcpSocket, CanDialAgainAfterItWasRefused) {
  Serve({pod_});
  Apply({empty_});
  UniqueFd socket = OpenSocket(vip_, {});
  ASSERT_EQ(Connect(socket.get(), vip_), ECONNREFUSED);
  Apply({web_});
  EXPECT_EQ(Connect(socket.get(), vip_), 0);
  EXPECT_EQ(PeerName(socket.get()), vip_.ToString());
}

TEST_F(TcpSocket, DialledToThePodItselfIsUntouched) {
  Serve({pod_, pod6_});
  Apply({web_});
  const uint64_t before = Runs(SHUNT_TRANSLATED);
  ExpectServed(pod_, {}, pod_);
  ExpectServed(pod_, {.mapped = true}, pod_);
  ExpectServed(pod6_, {}, pod6_);
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), before);
}

TEST_F(TcpSocket, WhatIsNoServiceIsUntouched) {
  const HostPort other_port = HostPort::Of("10.96.0.10:81"), other = HostPort::Of("192.0.2.1:80");
  Serve({other_port, other});
  Apply({web_});
  ExpectServed(other_port, {}, other_port);
  ExpectServed(other, {}, other);
  EXPECT_EQ(Dial(HostPort::Of("192.0.2.1:82")).error, ECONNREFUSED) << "nobody listens there";
}

TEST_F(TcpSocket, KeepsItsConnectionWhenItsPodLeavesTheService) {
  Serve({pod_});
  Apply({web_});
  UniqueFd socket = OpenSocket(vip_, {});
  ASSERT_EQ(Connect(socket.get(), vip_), 0);
  Apply({empty_});
  char answer[64];
  const ssize_t n = recv(socket.get(), answer, sizeof(answer), 0);
  ASSERT_GT(n, 0) << strerror(errno);
  EXPECT_EQ(std::string(answer, n), pod_.ToString());
  EXPECT_EQ(PeerName(socket.get()), vip_.ToString());
}

TEST_F(TcpSocket, EveryPodIsDialledAndNobodyElse) {
  const std::vector<HostPort> pods = Range("10.244.1.1:8080", 20);
  Serve(pods);
  Apply(std::vector<ServiceSpec>{{"web", SHUNT_TCP, {vip_}, pods}});
  std::map<std::string, int> answers;
  // A pod is missed by chance once in 10^22 runs.
  for (int i = 0; i < 1000; ++i) ++answers[Dial(vip_).answer];
  for (const HostPort& pod : pods) EXPECT_GT(answers[pod.ToString()], 0) << pod.ToString();
  EXPECT_EQ(answers.size(), pods.size());
}

}  // namespace
}  // namespace shunt::testing
