// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <time.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bpf/affinity_fixture.h"
#include "tests/support/wait_for.h"
#include "userspace/datapath/inspect.h"

namespace shunt::testing {
namespace {

class Affinity : public AffinityTest {};

TEST_F(Affinity, AClientStaysWithItsBackend) {
  Offer({vip_}, pods_, 10800);
  const std::set<std::string> choices = Choices(vip_, 100);
  EXPECT_EQ(choices.size(), 1u);
  EXPECT_FALSE(choices.contains(""));
}

TEST_F(Affinity, AllFrontendsOfAServicePortShareIt) {
  Offer({vip_, other_vip_}, pods_, 10800);
  std::set<std::string> choices = Choices(vip_, 10);
  choices.merge(Choices(other_vip_, 10));
  EXPECT_EQ(choices.size(), 1u);
}

TEST_F(Affinity, TwoPodsOfOneNodeMayHaveTwoBackends) {
  Offer({vip_}, pods_, 10800);
  std::set<std::string> choices;
  for (int i = 0; i < 20; ++i) {  // all alike: once in 10^19 runs
    MakeClient(pods_).Run([&] { choices.merge(Choices(vip_, 3)); });
  }
  EXPECT_GT(choices.size(), 1u);
}

TEST_F(Affinity, ABackendThatLeftTheListIsNotUsedAndTheNewOneIsKept) {
  Offer({vip_}, pods_, 10800);
  const std::string first = Choice(vip_);
  std::vector<HostPort> rest = pods_;
  std::erase_if(rest, [&](const HostPort& pod) { return pod.ToString() == first; });
  Offer({vip_}, rest, 10800);
  const std::set<std::string> choices = Choices(vip_, 50);
  EXPECT_EQ(choices.size(), 1u);
  EXPECT_FALSE(choices.contains(first));
}

TEST_F(Affinity, OthersThatComeAndGoMoveNobody) {
  Offer({vip_}, {pods_[5]}, 10800);
  ASSERT_EQ(Choice(vip_), pods_[5].ToString());
  Offer({vip_}, pods_, 10800);
  EXPECT_EQ(Choices(vip_, 20), std::set<std::string>{pods_[5].ToString()});
  Offer({vip_}, {pods_[4], pods_[5], pods_[9]}, 10800);
  EXPECT_EQ(Choices(vip_, 20), std::set<std::string>{pods_[5].ToString()});
}

TEST_F(Affinity, IsSwitchedOnAndOffAtRuntime) {
  Offer({vip_}, pods_, 0);
  EXPECT_GT(Choices(vip_, 100).size(), 1u);
  Offer({vip_}, pods_, 10800);
  EXPECT_EQ(Choices(vip_, 100).size(), 1u);
  Offer({vip_}, pods_, 0);
  EXPECT_GT(Choices(vip_, 100).size(), 1u);
}

// The clock by which the programs tell the age of an entry.
double MonotonicSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

// Twelve clients, of whom each has its backend: what each gets.
class AffinityOfMany : public Affinity {
 protected:
  std::vector<std::string> DialAll() {
    while (clients_.size() < 12) clients_.push_back(MakeClient(pods_));
    std::vector<std::string> choices;
    for (const NetNamespace& client : clients_) {
      client.Run([&] { choices.push_back(Choice(vip_)); });
    }
    last_ = MonotonicSeconds();
    return choices;
  }

  [[nodiscard]] bool WaitUntilIdleFor(double seconds) const {
    return WaitFor([&] { return MonotonicSeconds() > last_ + seconds; });
  }

 private:
  std::vector<NetNamespace> clients_;
  double last_ = 0;
};

TEST_F(AffinityOfMany, EndsItsTimeoutAfterTheLastNewConnection) {
  Offer({vip_}, pods_, 3);
  const std::vector<std::string> first = DialAll();
  ASSERT_TRUE(WaitUntilIdleFor(1.6));
  EXPECT_EQ(DialAll(), first) << "and this is a new connection: three seconds begin again";
  ASSERT_TRUE(WaitUntilIdleFor(1.6));
  EXPECT_EQ(DialAll(), first);
  ASSERT_TRUE(WaitUntilIdleFor(3.01));
  EXPECT_NE(DialAll(), first) << "all 12 had the same again: once in 10^12 runs";
}

TEST_F(AffinityOfMany, AShorterTimeoutCountsForEntriesThatAreThere) {
  Offer({vip_}, pods_, 10800);
  const std::vector<std::string> first = DialAll();
  ASSERT_TRUE(WaitUntilIdleFor(1.01));
  EXPECT_EQ(DialAll(), first);
  ASSERT_TRUE(WaitUntilIdleFor(1.01));
  Offer({vip_}, pods_, 1);
  EXPECT_NE(DialAll(), first) << "all 12 had the same again: once in 10^12 runs";
}

TEST_F(Affinity, AFullTableForgetsWhoWasIdleLongestAndRefusesNobody) {
  constexpr int kServices = SHUNT_MAX_AFFINITY + 10'000;
  DatapathState state;
  std::vector<HostPort> vips;
  for (int i = 0; i < kServices; ++i) {
    vips.push_back({HostPort::Of(
        absl::StrCat("10.", 100 + i / 65536, ".", i / 256 % 256, ".", i % 256, ":53"))});
    ServicePortState port = *StateOf({"dns", SHUNT_UDP, {vips.back()}, {pods_[i % 10]}});
    port.affinity_timeout_s = 10800;
    state.emplace(ServicePortName{"test", absl::StrCat("dns-", i), "", SHUNT_UDP},
                  std::make_shared<const ServicePortState>(port));
  }
  ApplyChanges({.changed = state, .complete = true});
  const UniqueFd socket = OpenSocket(vip_, {.transport = Transport::kUdp});
  for (const HostPort& vip : vips) ASSERT_EQ(Connect(socket.get(), vip), 0) << vip.ToString();
  const auto tallies = ReadTallies(bpffs());
  ASSERT_TRUE(tallies.ok()) << tallies.status();
  EXPECT_EQ((*tallies)[SHUNT_TALLY_AFFINITY_ADDED], static_cast<uint64_t>(kServices));
}

}  // namespace
}  // namespace shunt::testing
