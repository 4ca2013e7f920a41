// SPDX-License-Identifier: Apache-2.0
//
// From the objects of a cluster to the maps, with everything that may happen on
// the way: objects change in any order, node and addresses too, writes fail,
// agents die. Planner and reconciler are the real ones.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/datapath/reader_model.h"
#include "tests/unit/update/random_cluster.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/planner/planner.h"
#include "userspace/state/dump.h"

namespace shunt {
namespace {

constexpr char kNode[] = "node-a";

// A sanitizer makes a history fifteen times as long: a quarter of them has to do.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr unsigned kShare = 4;
#else
constexpr unsigned kShare = 1;
#endif

bool AreEqual(const DatapathState& a, const DatapathState& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && *x.second == *y.second;
  });
}

// An agent, the maps that outlive it, and those who read them all the time.
class Machine {
 public:
  explicit Machine(const MemoryMapStore::Sizes& sizes) : store_(sizes) {
    model_.Settle({});
    Start();
  }

  // A new agent: it knows nothing but the maps until it has seen the cluster.
  void Start() {
    planner_.emplace(kNode);
    reconciler_.emplace(store_, grace_period_);
    has_applied_ = false;
    EXPECT_TRUE(reconciler_->Adopt().ok());
  }

  Reconciler::Result See(const RandomCluster& cluster, const ClusterChanges& changes) {
    planner_->SetNodePortAddresses(cluster.node_port_addresses());
    const StateChanges planned =
        planner_->Update(std::exchange(has_applied_, true) ? changes : cluster.snapshot());
    model_.Allow(planner_->state());
    return reconciler_->Apply(planned);
  }

  // Nothing fails any more: whatever is pending arrives.
  void Recover() {
    store_.Heal();
    for (int i = 0; i < 5 && reconciler_->Apply({}).pending > 0; ++i) grace_period_.EndAll();
  }

  // `scratch` is the plan of an agent that saw nothing but what is there now.
  void ExpectArrived(const DatapathState& scratch) {
    EXPECT_EQ(reconciler_->Apply({}).pending, 0u);
    EXPECT_TRUE(AreEqual(planner_->state(), scratch));
    model_.Settle(scratch);
    const DatapathState held = StateFromMaps(store_).value();
    EXPECT_TRUE(AreEqual(held, scratch)) << Dump(held) << "but from scratch\n" << Dump(scratch);
  }

  MemoryMapStore& store() { return store_; }
  FakeGracePeriod& grace_period() { return grace_period_; }

 private:
  MemoryMapStore store_;
  ReaderModel model_{store_};
  FakeGracePeriod grace_period_{&model_};
  std::optional<Planner> planner_;
  std::optional<Reconciler> reconciler_;
  bool has_applied_ = false;  // this agent has seen the whole cluster
};

// What the next writes will meet.
void Break(RandomCluster& random, MemoryMapStore& store) {
  constexpr std::string_view kMaps[] = {"shunt_frontends", "shunt_sources", "shunt_services",
                                        "shunt_slots", "shunt_backends"};
  switch (random.Below(6)) {
    case 0:
      store.FailAfter(random.Below(12));
      break;
    case 1: {
      const std::string_view broken = kMaps[random.Below(std::size(kMaps))];
      store.FailWhere([broken](std::string_view map) { return map == broken; });
      break;
    }
    case 2:
      store.StopAfter(random.Below(30));
      break;
    default:
      store.Heal();
  }
}

void PlayHistory(unsigned seed, const MemoryMapStore::Sizes& sizes) {
  RandomCluster cluster(seed);
  Machine machine(sizes);
  for (int step = 0; step < 60; ++step) {
    Break(cluster, machine.store());
    if (cluster.Below(15) == 0) machine.Start();
    machine.See(cluster, cluster.Next());
    if (cluster.Below(3) == 0) machine.grace_period().EndAll();
    if (cluster.Below(4) != 0) continue;
    machine.Recover();
    machine.ExpectArrived(Plan(cluster.snapshot(), kNode, cluster.node_port_addresses()));
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(UpdateFuzzTest, WhateverHappensTrafficIsRightMeanwhileAndInTheEndAsIfItHadNot) {
  for (unsigned seed = 0; seed < 60 / kShare; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    PlayHistory(seed, {});
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(UpdateFuzzTest, MapsWithHardlyAnyRoomAreWaitedFor) {
  for (unsigned seed = 1000; seed < 1000 + 32 / kShare; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    PlayHistory(seed, {.slots = 160, .backends = 80});
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace shunt
