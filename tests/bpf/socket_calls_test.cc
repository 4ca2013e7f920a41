// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "tests/bpf/io_uring.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/files.h"
#include "tests/support/net_namespace.h"

namespace shunt::testing {
namespace {

// Kinds of sockets and calls that few programs use: they are served as others
// are, or not touched at all.
class SocketCalls : public DatapathTest {
 protected:
  void OfferEverywhere() {
    for (shunt_protocol protocol : {SHUNT_TCP, SHUNT_UDP}) Serve({pod_, pod6_}, protocol);
    Apply(std::vector<ServiceSpec>{{"tcp", SHUNT_TCP, {vip_, vip6_}, {pod_, pod6_}},
                                   {"udp", SHUNT_UDP, {vip_, vip6_}, {pod_, pod6_}},
                                   {"none", SHUNT_TCP, {empty_}, {}}});
  }

  // What the server at the other end says.
  static std::string Answer(int socket) {
    char text[64];
    const ssize_t n = recv(socket, text, sizeof(text), 0);
    return n < 0 ? strerror(errno) : std::string(text, n);
  }

  const HostPort vip_ = HostPort::Of("10.96.0.10:80"), vip6_ = HostPort::Of("[fd00:96::10]:80");
  const HostPort empty_ = HostPort::Of("10.96.0.11:80");
  const HostPort pod_ = HostPort::Of("10.244.1.5:80"), pod6_ = HostPort::Of("[fd00:244::5]:80");
};

TEST_F(SocketCalls, ASocketOfIpv6OnlyReachesIpv6AndNeverAMappedAddress) {
  OfferEverywhere();
  const int on = 1;
  UniqueFd socket = OpenSocket(vip6_, {});
  ASSERT_EQ(setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
  EXPECT_EQ(Connect(socket.get(), vip_, /*mapped=*/true), ENETUNREACH);
  EXPECT_EQ(Connect(socket.get(), vip6_), 0);
  EXPECT_EQ(PeerName(socket.get()), vip6_.ToString());
  EXPECT_EQ(Answer(socket.get()), pod6_.ToString());
}

TEST_F(SocketCalls, ATcpSocketThatHungUpDialsAnotherService) {
  OfferEverywhere();
  const HostPort other = HostPort::Of("10.96.0.12:80"), other_pod = HostPort::Of("10.244.1.6:80");
  Serve({other_pod});
  Apply(std::vector<ServiceSpec>{{"tcp", SHUNT_TCP, {vip_}, {pod_}},
                                 {"other", SHUNT_TCP, {other}, {other_pod}}});
  UniqueFd socket = OpenSocket(vip_, {});
  ASSERT_EQ(Connect(socket.get(), vip_), 0);
  const sockaddr nobody = {.sa_family = AF_UNSPEC, .sa_data = {}};
  ASSERT_EQ(connect(socket.get(), &nobody, sizeof(nobody)), 0) << strerror(errno);
  EXPECT_EQ(PeerName(socket.get()), "");
  ASSERT_EQ(Connect(socket.get(), other), 0);
  EXPECT_EQ(PeerName(socket.get()), other.ToString());
  EXPECT_EQ(Answer(socket.get()), other_pod.ToString());
  ASSERT_EQ(connect(socket.get(), &nobody, sizeof(nobody)), 0) << strerror(errno);
  ASSERT_EQ(Connect(socket.get(), pod_), 0);
  EXPECT_EQ(PeerName(socket.get()), pod_.ToString()) << "dialled without a Service";
}

TEST_F(SocketCalls, IoUringConnectsAreServedAndRefusedLikeAllOthers) {
  OfferEverywhere();
  absl::StatusOr<IoUring> ring = IoUring::Make();
  ASSERT_TRUE(ring.ok()) << ring.status();
  const auto connect = [&](int socket, const HostPort& to) {
    const SocketAddress address = SocketAddress::From(to);
    io_uring_sqe call = {};
    call.opcode = IORING_OP_CONNECT;
    call.fd = socket;
    call.addr = reinterpret_cast<uint64_t>(address.get());
    call.off = address.length;
    return ring->Run(call);
  };
  UniqueFd socket = OpenSocket(vip_, {});
  EXPECT_EQ(connect(socket.get(), empty_), -ECONNREFUSED);
  EXPECT_EQ(connect(socket.get(), vip_), 0);
  EXPECT_EQ(PeerName(socket.get()), vip_.ToString());
  EXPECT_EQ(Answer(socket.get()), pod_.ToString());
}

TEST_F(SocketCalls, IoUringDatagramsComeBackFromTheService) {
  OfferEverywhere();
  absl::StatusOr<IoUring> ring = IoUring::Make();
  ASSERT_TRUE(ring.ok()) << ring.status();
  UniqueFd socket = OpenSocket(vip_, {.transport = Transport::kUdp});
  SocketAddress address = SocketAddress::From(vip_);
  char text[64] = "?";
  iovec part = {text, 1};
  msghdr message = {
      .msg_name = address.get(), .msg_namelen = address.length, .msg_iov = &part, .msg_iovlen = 1};
  io_uring_sqe call = {};
  call.fd = socket.get();
  call.addr = reinterpret_cast<uint64_t>(&message);
  call.len = 1;
  call.opcode = IORING_OP_SENDMSG;
  ASSERT_EQ(ring->Run(call), 1);
  part.iov_len = sizeof(text);
  call.opcode = IORING_OP_RECVMSG;
  const int received = ring->Run(call);
  ASSERT_GT(received, 0) << strerror(-received);
  EXPECT_EQ(std::string(text, received), pod_.ToString());
  EXPECT_EQ(address.ToHostPort().ToString(), vip_.ToString());
}

// Not TCP and not UDP: the packets keep the virtual IP, as nobody else would
// know whose they are.
TEST_F(SocketCalls, OtherProtocolsAreNotTouched) {
  OfferEverywhere();
  ASSERT_TRUE(AddLoopbackAddresses({vip_.address}).ok());
  ASSERT_TRUE(WriteFile("/proc/sys/net/ipv4/ping_group_range", "0 0").ok());
  struct Kind {
    int type, protocol;
  };
  const std::vector<Kind> kinds = {
      {SOCK_RAW, IPPROTO_ICMP}, {SOCK_DGRAM, IPPROTO_ICMP}, {SOCK_DGRAM, IPPROTO_UDPLITE}};
  for (const Kind& kind : kinds) {
    SCOPED_TRACE(kind.protocol);
    UniqueFd connected(socket(AF_INET, kind.type | SOCK_CLOEXEC, kind.protocol));
    UniqueFd unconnected(socket(AF_INET, kind.type | SOCK_CLOEXEC, kind.protocol));
    ASSERT_TRUE(connected.ok() && unconnected.ok()) << strerror(errno);
    EXPECT_EQ(Connect(connected.get(), vip_), 0);
    EXPECT_EQ(PeerName(connected.get()).substr(0, 10), "10.96.0.10");
    icmphdr echo = {};
    echo.type = ICMP_ECHO;
    EXPECT_EQ(SendTo(unconnected.get(), vip_, {reinterpret_cast<char*>(&echo), sizeof(echo)}), 0);
  }
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), 0u);
  EXPECT_EQ(Runs(SHUNT_CONTINUED), 0u);
}

TEST_F(SocketCalls, APingOfAVirtualIpIsAnsweredByWhoHasIt) {
  OfferEverywhere();
  ASSERT_TRUE(AddLoopbackAddresses({vip_.address}).ok());
  ASSERT_TRUE(WriteFile("/proc/sys/net/ipv4/ping_group_range", "0 0").ok());
  UniqueFd ping(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP));
  icmphdr echo = {};
  echo.type = ICMP_ECHO;
  ASSERT_EQ(SendTo(ping.get(), vip_, {reinterpret_cast<char*>(&echo), sizeof(echo)}), 0);
  const DialResult answer = ReceiveFrom(ping.get());
  EXPECT_EQ(answer.error, 0) << answer.ToString();
  EXPECT_EQ(answer.from.substr(0, 10), "10.96.0.10");
}

// A process of the node may have a virtual IP itself (a DNS cache): bind(),
// listen() and accept() are no business of ours.
TEST_F(SocketCalls, WhoIsBoundToAVirtualIpServesAndDialsThere) {
  OfferEverywhere();
  ASSERT_TRUE(AddLoopbackAddresses({empty_.address}).ok());
  UniqueFd listener = OpenSocket(empty_, {});
  const SocketAddress address = SocketAddress::From(empty_);
  ASSERT_EQ(bind(listener.get(), address.get(), address.length), 0) << strerror(errno);
  ASSERT_EQ(listen(listener.get(), 8), 0);
  SocketAddress bound;
  ASSERT_EQ(getsockname(listener.get(), bound.get(), &bound.length), 0);
  EXPECT_EQ(bound.ToHostPort().ToString(), empty_.ToString());
  UniqueFd client = OpenSocket(vip_, {.source = empty_.address});
  ASSERT_TRUE(client.ok());
  EXPECT_EQ(Connect(client.get(), vip_), 0);
  EXPECT_EQ(Answer(client.get()), pod_.ToString());
}

}  // namespace
}  // namespace shunt::testing
