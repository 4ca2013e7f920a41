// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bpf/affinity_fixture.h"

namespace shunt::testing {
namespace {

// Session affinity by its rules: an entry counts until its timeout after the
// client's last new connection, and while its backend has stayed in the list.
class AffinityModel {
 public:
  using Pods = std::set<std::string>;

  void Offer(const Pods& pods, int64_t timeout_s) {
    for (const std::string& pod : pods) {
      if (!pods_.contains(pod)) ++arrivals_[pod];  // another, though of the same address
    }
    pods_ = pods;
    timeout_s_ = timeout_s;
  }

  void Pass(int64_t seconds) { now_s_ += seconds; }

  enum class Entry { kCounts, kExpired, kGone, kNone };

  // What becomes of the client's entry, should it dial now.
  Entry EntryOf(size_t client) const {
    const auto entry = entries_.find(client);
    if (entry == entries_.end() || timeout_s_ == 0) return Entry::kNone;
    const auto& [pod, arrival, last_s] = entry->second;
    if (!pods_.contains(pod) || arrivals_.at(pod) != arrival) return Entry::kGone;
    return now_s_ - last_s < timeout_s_ ? Entry::kCounts : Entry::kExpired;
  }

  void Got(size_t client, const std::string& pod) {
    if (timeout_s_ > 0) entries_[client] = {pod, arrivals_.at(pod), now_s_};
  }

  const Pods& pods() const { return pods_; }
  // What it got last, "" for nothing.
  std::string Had(size_t client) const {
    const auto entry = entries_.find(client);
    return entry == entries_.end() ? "" : entry->second.pod;
  }

 private:
  struct Last {
    std::string pod;
    int arrival = 0;
    int64_t time_s = 0;
  };

  Pods pods_;
  int64_t timeout_s_ = 0, now_s_ = 0;
  std::map<std::string, int> arrivals_;
  std::map<size_t, Last> entries_;  // by client
};

// The programs against the model, with a clock that the test moves: time passes
// for the entries in the map.
class AffinityOverTime : public AffinityTest {
 protected:
  void MakeClients(int count) {
    while (count-- > 0) clients_.push_back(MakeClient(pods_));
  }

  void OfferAny() {
    std::vector<HostPort> pods;
    for (const HostPort& pod : pods_) {
      if (Below(3) > 0) pods.push_back(pod);
    }
    // Time passes in hundreds of seconds: no run of this test takes the fifty
    // that lie between an age and a timeout.
    constexpr uint32_t kTimeouts[] = {0, 150, 350, 1050, 10850};
    const uint32_t timeout_s = kTimeouts[Below(std::size(kTimeouts))];
    Offer({vip_, other_vip_}, pods, timeout_s);
    AffinityModel::Pods names;
    for (const HostPort& pod : pods) names.insert(pod.ToString());
    model_.Offer(names, timeout_s);
  }

  void Pass(int64_t seconds) {
    const UniqueFd map(bpf_obj_get(absl::StrCat(bpffs(), "/shunt_affinity").c_str()));
    ASSERT_TRUE(map.ok());
    std::vector<shunt_affinity_key> keys;
    shunt_affinity_key key;
    for (bool more = bpf_map_get_next_key(map.get(), nullptr, &key) == 0; more;
         more = bpf_map_get_next_key(map.get(), &keys.back(), &key) == 0) {
      keys.push_back(key);
    }
    for (const shunt_affinity_key& entry_key : keys) {
      shunt_affinity entry;
      ASSERT_EQ(bpf_map_lookup_elem(map.get(), &entry_key, &entry), 0);
      entry.last_used_ns -= static_cast<uint64_t>(seconds) * 1'000'000'000;
      ASSERT_EQ(bpf_map_update_elem(map.get(), &entry_key, &entry, BPF_EXIST), 0);
    }
    model_.Pass(seconds);
  }

  void DialAny() {
    const size_t client = Below(clients_.size());
    std::string got;
    clients_[client].Run([&] { got = Choice(Below(2) == 0 ? vip_ : other_vip_); });
    if (model_.pods().empty()) {
      EXPECT_EQ(got, "");
      return;
    }
    EXPECT_TRUE(model_.pods().contains(got)) << got;
    if (model_.EntryOf(client) == AffinityModel::Entry::kCounts) {
      ++kept_;
      EXPECT_EQ(got, model_.Had(client));
    } else if (model_.EntryOf(client) == AffinityModel::Entry::kExpired) {
      ++expired_;
      if (got != model_.Had(client)) ++moved_;
    }
    model_.Got(client, got);
  }

  size_t Below(size_t limit) { return random_() % limit; }

  int kept_ = 0, expired_ = 0, moved_ = 0;  // dials: by their entry; of the expired, to another pod

 private:
  std::mt19937 random_{4711};
  std::vector<NetNamespace> clients_;
  AffinityModel model_;
};

TEST_F(AffinityOverTime, EachClientHasWhatTheRulesSayAfterAnyHistory) {
  MakeClients(4);
  OfferAny();
  for (int step = 0; step < 600 && !HasFailure(); ++step) {
    SCOPED_TRACE(absl::StrCat("step ", step));
    switch (Below(10)) {
      case 0:
        OfferAny();
        break;
      case 1:
        Pass(100 * static_cast<int64_t>(1 + Below(12)));
        break;
      default:
        DialAny();
    }
  }
  // The history was no walk-over.
  EXPECT_GT(kept_, 100);
  EXPECT_GT(expired_, 20);
  // One of seven pods, as a rule: one in seven gets the same again.
  EXPECT_GT(moved_, expired_ / 2);
}

}  // namespace
}  // namespace shunt::testing
