// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/bpf/udp_socket.h"
#include "tests/support/wait_for.h"

namespace shunt::testing {
namespace {

// The flows of an unconnected socket: which pod, and whose answer is it?
class UdpFlow : public UdpTest {};

TEST_F(UdpFlow, UnconnectedKeepsItsPodForAFlowAndOthersGetOthers) {
  const std::vector<HostPort> pods = Range("10.244.1.1:5353", 10);
  Serve(pods, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, pods}});
  std::set<std::string> all;
  for (int client = 0; client < 50; ++client) {
    UniqueFd socket = Open(client % 2 == 1);
    std::set<std::string> answers;
    for (int i = 0; i < 5; ++i) {
      ASSERT_EQ(SendTo(socket.get(), vip_, "?", client % 2 == 1), 0);
      const DialResult result = ReceiveFrom(socket.get());
      EXPECT_EQ(result.from, vip_.ToString());
      answers.insert(result.answer);
    }
    EXPECT_EQ(answers.size(), 1u) << "the pod changed within a flow";
    all.insert(answers.begin(), answers.end());
  }
  EXPECT_GT(all.size(), 1u);
}

TEST_F(UdpFlow, GetsTheRightSourceFromEachOf64ServicesAtOnce) {
  Apply(OnePodServices(64));
  UniqueFd socket = Open();
  for (int round = 0; round < 3; ++round) {
    for (const HostPort& vip : vips_) ASSERT_EQ(SendTo(socket.get(), vip, "?"), 0);
    std::set<std::string> sources;
    for (size_t i = 0; i < vips_.size(); ++i) sources.insert(ReceiveFromAService(socket.get()));
    EXPECT_EQ(sources.size(), 64u);
  }
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), 64u) << "each Service was chosen for once";
  EXPECT_EQ(Runs(SHUNT_CONTINUED), 2 * 64u);
}

TEST_F(UdpFlow, The65thServiceTakesThePlaceOfTheOneIdleLongest) {
  Apply(OnePodServices(65));
  UniqueFd socket = Open();
  for (int i = 0; i < 65; ++i) {
    ASSERT_EQ(SendTo(socket.get(), vips_[i], "?"), 0);
    // The first answer would tell its pod's address if it came after the 65th.
    ReceiveFromAService(socket.get());
  }
  const uint64_t translated = Runs(SHUNT_TRANSLATED);
  EXPECT_EQ(translated, 65u);
  for (int i = 1; i < 65; ++i) {
    ASSERT_EQ(SendTo(socket.get(), vips_[i], "?"), 0);
    ReceiveFromAService(socket.get());
  }
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), translated) << "the 64 that were used last are kept";
  ASSERT_EQ(SendTo(socket.get(), vips_[0], "?"), 0);
  EXPECT_EQ(ReceiveFromAService(socket.get()), vips_[0].ToString());
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), translated + 1) << "the first had to be chosen anew";
}

// The programs' clock (bpf_ktime_get_coarse_ns) moves on by a tick at a time.
void WaitForNextTick() {
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return absl::TimeFromTimespec(time);
  };
  ASSERT_TRUE(WaitFor([&, start = now()] { return now() != start; }));
}

TEST_F(UdpFlow, AServiceInUseKeepsItsPlaceThoughItWasTheFirst) {
  Apply(OnePodServices(65));
  UniqueFd socket = Open();
  for (int i = 0; i < 64; ++i) ASSERT_EQ(SendTo(socket.get(), vips_[i], "?"), 0);
  WaitForNextTick();
  ASSERT_EQ(SendTo(socket.get(), vips_[0], "?"), 0);
  ASSERT_EQ(SendTo(socket.get(), vips_[64], "?"), 0);
  ASSERT_EQ(SendTo(socket.get(), vips_[0], "?"), 0);
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), 65u) << "the first was chosen for again";
  EXPECT_EQ(Runs(SHUNT_CONTINUED), 2u);
}

TEST_F(UdpFlow, TellsTwoServicesApartThatShareTheirPods) {
  const std::vector<HostPort> pods = Range("10.244.1.1:5353", 8);
  const HostPort other = HostPort::Of("10.96.0.54:53");
  Serve(pods, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"a", SHUNT_UDP, {vip_}, pods}, {"b", SHUNT_UDP, {other}, pods}});
  // 4 tries for a pod of its own fail once in 4096 times; one socket must do.
  int confused = 0;
  for (int client = 0; client < 20; ++client) {
    UniqueFd socket = Open();
    std::set<std::string> sources;
    for (const HostPort& vip : {vip_, other}) ASSERT_EQ(SendTo(socket.get(), vip, "?"), 0);
    for (int i = 0; i < 2; ++i) sources.insert(ReceiveFrom(socket.get()).from);
    confused += sources != std::set<std::string>{vip_.ToString(), other.ToString()};
  }
  EXPECT_LE(confused, 2);
}

TEST_F(UdpFlow, APodThatIsAlsoAskedDirectlyAnswersAsItself) {
  const HostPort pod = HostPort::Of("10.244.1.5:5353");
  Serve({pod}, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, {pod}}});
  UniqueFd socket = Open();
  for (int round = 0; round < 3; ++round) {
    for (const HostPort& asked : {vip_, pod}) {
      ASSERT_EQ(SendTo(socket.get(), asked, "?"), 0);
      EXPECT_EQ(ReceiveFrom(socket.get()).from, asked.ToString()) << "round " << round;
    }
  }
}

TEST_F(UdpFlow, OneSocketTalksToServicesOfBothFamilies) {
  const HostPort pod = HostPort::Of("10.244.1.5:5353"),
                 pod6 = HostPort::Of("[fd00:10:244::5]:5353");
  Serve({pod, pod6}, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_, vip6_}, {pod, pod6}}});
  UniqueFd socket = Open(/*mapped=*/true);
  std::map<std::string, std::string> source_of_answer;
  for (int round = 0; round < 2; ++round) {
    for (const HostPort& vip : {vip_, vip6_}) ASSERT_EQ(SendTo(socket.get(), vip, "?", true), 0);
    for (int i = 0; i < 2; ++i) {
      const DialResult result = ReceiveFrom(socket.get());
      source_of_answer[result.answer] = result.from;
    }
    EXPECT_EQ(source_of_answer[pod.ToString()], vip_.ToString());
    EXPECT_EQ(source_of_answer[pod6.ToString()], vip6_.ToString());
  }
}

TEST_F(UdpFlow, AFlowWhosePodIsGoneMovesToAnother) {
  const HostPort old_pod = HostPort::Of("10.244.1.5:5353"),
                 new_pod = HostPort::Of("10.244.1.6:5353");
  Serve({old_pod, new_pod}, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, {old_pod}}});
  UniqueFd socket = Open();
  ASSERT_EQ(SendTo(socket.get(), vip_, "?"), 0);
  ASSERT_EQ(ReceiveFrom(socket.get()).answer, old_pod.ToString());
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, {new_pod}}});
  ASSERT_EQ(SendTo(socket.get(), vip_, "?"), 0);
  const DialResult result = ReceiveFrom(socket.get());
  EXPECT_EQ(result.answer, new_pod.ToString());
  EXPECT_EQ(result.from, vip_.ToString());
}

TEST_F(UdpFlow, AFlowStaysWithItsPodWhenOthersJoin) {
  const std::vector<HostPort> pods = Range("10.244.1.1:5353", 30);
  Serve(pods, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, {pods[0]}}});
  UniqueFd socket = Open();
  ASSERT_EQ(SendTo(socket.get(), vip_, "?"), 0);
  ASSERT_EQ(ReceiveFrom(socket.get()).answer, pods[0].ToString());
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, pods}});
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(SendTo(socket.get(), vip_, "?"), 0);
    ASSERT_EQ(ReceiveFrom(socket.get()).answer, pods[0].ToString());
  }
}

TEST_F(UdpFlow, AFlowOfAServiceThatIsGoneEndsAtNobodysPod) {
  const HostPort pod = HostPort::Of("10.244.1.5:5353"), other = HostPort::Of("10.244.1.6:5353");
  const HostPort other_vip = HostPort::Of("10.96.0.54:53");
  Serve({pod, other}, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip_}, {pod}}});
  UniqueFd socket = Open();
  ASSERT_EQ(SendTo(socket.get(), vip_, "?"), 0);
  ASSERT_EQ(ReceiveFrom(socket.get()).answer, pod.ToString());
  // Its ids and slots are free for others, who take them.
  Apply(std::vector<ServiceSpec>{{"other", SHUNT_UDP, {other_vip}, {other}}});
  EXPECT_EQ(SendTo(socket.get(), vip_, "?"), ENETUNREACH) << "an address that nobody routes";
}

// A datagram for, or from, each of N addresses: what sendmmsg and recvmmsg take.
template <size_t N>
struct Batch {
  std::array<SocketAddress, N> addresses;
  std::array<std::array<char, 64>, N> texts = {};
  std::array<iovec, N> parts;
  std::array<mmsghdr, N> messages = {};

  Batch() {
    for (size_t i = 0; i < N; ++i) {
      parts[i] = {texts[i].data(), texts[i].size()};
      messages[i].msg_hdr = {.msg_name = addresses[i].get(),
                             .msg_namelen = sizeof(addresses[i].storage),
                             .msg_iov = &parts[i],
                             .msg_iovlen = 1};
    }
  }
};

TEST_F(UdpFlow, BatchesGoToTheirServicesAndAnswersComeFromThem) {
  Apply(OnePodServices(3));
  UniqueFd socket = Open();
  Batch<3> questions, answers;
  for (int i = 0; i < 3; ++i) {
    questions.addresses[i] = SocketAddress::From(vips_[i]);
    questions.messages[i].msg_hdr.msg_namelen = questions.addresses[i].length;
  }
  ASSERT_EQ(sendmmsg(socket.get(), questions.messages.data(), 3, 0), 3) << strerror(errno);
  ASSERT_EQ(recvmmsg(socket.get(), answers.messages.data(), 3, 0, nullptr), 3) << strerror(errno);
  std::set<std::string> sources;
  for (int i = 0; i < 3; ++i) {
    const std::string pod(answers.texts[i].data(), answers.messages[i].msg_len);
    const std::string source = answers.addresses[i].ToHostPort().ToString();
    EXPECT_EQ(source, source_of_pod_[pod]);
    sources.insert(source);
  }
  EXPECT_EQ(sources.size(), 3u);
}

}  // namespace
}  // namespace shunt::testing
