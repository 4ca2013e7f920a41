// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "tests/bpf/udp_socket.h"

namespace shunt::testing {
namespace {

// What a socket shows: connected, connected again, disconnected, refused.
class UdpSocket : public UdpTest {};

TEST_F(UdpSocket, ConnectedTalksToOnePodAndSeesTheService) {
  const std::vector<HostPort> pods = Range("10.244.1.1:5353", 10);
  Serve(pods, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, pods}});
  UniqueFd socket = Open();
  ASSERT_EQ(Connect(socket.get(), vip_), 0);
  EXPECT_EQ(PeerName(socket.get()), vip_.ToString());
  std::set<std::string> answers;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(send(socket.get(), "?", 1, 0), 1);
    const DialResult result = ReceiveFrom(socket.get());
    EXPECT_EQ(result.from, vip_.ToString());
    answers.insert(result.answer);
  }
  EXPECT_EQ(answers.size(), 1u);
}

TEST_F(UdpSocket, ConnectedAndTheServiceNamedAgainStillTalksToItsPod) {
  const std::vector<HostPort> pods = Range("10.244.1.1:5353", 10);
  Serve(pods, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, pods}});
  for (const bool mapped : {false, true}) {
    UniqueFd socket = Open(mapped);
    ASSERT_EQ(Connect(socket.get(), vip_, mapped), 0);
    std::set<std::string> answers;
    for (int i = 0; i < 20; ++i) {
      // It hears its peer alone: an answer of another pod would never arrive.
      ASSERT_EQ(SendTo(socket.get(), vip_, "?", mapped), 0);
      const DialResult result = ReceiveFrom(socket.get());
      EXPECT_EQ(result.from, vip_.ToString()) << result.ToString();
      answers.insert(result.answer);
    }
    EXPECT_EQ(answers.size(), 1u);
  }
}

TEST_F(UdpSocket, ReconnectedShowsWhatItDialledLast) {
  Apply(OnePodServices(3));
  UniqueFd socket = Open();
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Connect(socket.get(), vips_[i]), 0);
    EXPECT_EQ(PeerName(socket.get()), vips_[i].ToString());
    ASSERT_EQ(send(socket.get(), "?", 1, 0), 1);
    EXPECT_EQ(ReceiveFromAService(socket.get()), vips_[i].ToString());
  }
  // connect(AF_UNSPEC): it has no peer any more, and may talk to anybody.
  const sockaddr nobody = {.sa_family = AF_UNSPEC, .sa_data = {}};
  ASSERT_EQ(connect(socket.get(), &nobody, sizeof(nobody)), 0) << strerror(errno);
  EXPECT_EQ(PeerName(socket.get()), "");
  for (const HostPort& vip : vips_) {
    ASSERT_EQ(SendTo(socket.get(), vip, "?"), 0);
    EXPECT_EQ(ReceiveFromAService(socket.get()), vip.ToString());
  }
}

TEST_F(UdpSocket, DisconnectedShowsTheServiceThatItAsksNowThoughThePodIsTheSame) {
  const HostPort pod = HostPort::Of("10.244.1.5:5353"), other = HostPort::Of("10.96.0.54:53");
  Serve({pod}, SHUNT_UDP);
  Apply(
      std::vector<ServiceSpec>{{"a", SHUNT_UDP, {vip_}, {pod}}, {"b", SHUNT_UDP, {other}, {pod}}});
  UniqueFd socket = Open();
  ASSERT_EQ(Connect(socket.get(), vip_), 0);
  const sockaddr nobody = {.sa_family = AF_UNSPEC, .sa_data = {}};
  ASSERT_EQ(connect(socket.get(), &nobody, sizeof(nobody)), 0) << strerror(errno);
  ASSERT_EQ(SendTo(socket.get(), other, "?"), 0);
  EXPECT_EQ(ReceiveFrom(socket.get()).from, other.ToString());
}

TEST_F(UdpSocket, ConnectedToThePodItselfAfterTheServiceShowsThePod) {
  const HostPort pod = HostPort::Of("10.244.1.5:5353");
  Serve({pod}, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, {pod}}});
  UniqueFd socket = Open();
  ASSERT_EQ(Connect(socket.get(), vip_), 0);
  ASSERT_EQ(PeerName(socket.get()), vip_.ToString());
  ASSERT_EQ(Connect(socket.get(), pod), 0);
  EXPECT_EQ(PeerName(socket.get()), pod.ToString());
  ASSERT_EQ(send(socket.get(), "?", 1, 0), 1);
  EXPECT_EQ(ReceiveFrom(socket.get()).from, pod.ToString());
}

TEST_F(UdpSocket, SentToThePodItselfIsUntouched) {
  const HostPort pod = HostPort::Of("10.244.1.5:5353");
  Serve({pod}, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, {pod}}});
  for (Transport transport : {Transport::kUdp, Transport::kUdpConnected}) {
    const DialResult result = Dial(pod, {.transport = transport});
    EXPECT_EQ(result.answer, pod.ToString()) << result.ToString();
    EXPECT_EQ(result.from, pod.ToString());
  }
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), 0u);
}

TEST_F(UdpSocket, IsRefusedAtOnceWhenTheServiceHasNoPod) {
  Serve({vip_, vip6_}, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_, vip6_}, {}}});
  for (Transport transport : {Transport::kUdp, Transport::kUdpConnected}) {
    SCOPED_TRACE(static_cast<int>(transport));
    EXPECT_EQ(Dial(vip_, {.transport = transport}).error, ECONNREFUSED);
    EXPECT_EQ(Dial(vip_, {.transport = transport, .mapped = true}).error, ECONNREFUSED);
    EXPECT_EQ(Dial(vip6_, {.transport = transport}).error, ECONNREFUSED);
  }
}

TEST_F(UdpSocket, PeekAndReceiveShowTheSameSource) {
  Apply(OnePodServices(2));
  UniqueFd socket = Open();
  ASSERT_EQ(SendTo(socket.get(), vips_[1], "?"), 0);
  EXPECT_EQ(ReceiveFrom(socket.get(), MSG_PEEK).from, vips_[1].ToString());
  EXPECT_EQ(ReceiveFrom(socket.get()).from, vips_[1].ToString());
}

}  // namespace
}  // namespace shunt::testing
