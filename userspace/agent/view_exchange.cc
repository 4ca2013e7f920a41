// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/view_exchange.h"

#include <utility>

#include "userspace/datapath/opt_outs.h"

namespace shunt {
namespace {

// Longer than any update takes. Who still has none then gets the one before:
// an agent that is busy for so long must be visible, not silent.
constexpr absl::Duration kPatience = absl::Seconds(3);

}  // namespace

ViewExchange::ViewExchange(std::string bpffs, const Store& store, const ClusterSource& source,
                           std::function<void()> ask)
    : bpffs_(std::move(bpffs)), store_(store), source_(source), ask_(std::move(ask)) {}

void ViewExchange::Advance() {
  absl::MutexLock lock(&mutex_);
  ++generation_;
}

std::optional<uint64_t> ViewExchange::Wanted() const {
  absl::MutexLock lock(&mutex_);
  if (!wanted_) return std::nullopt;
  return generation_;
}

void ViewExchange::Publish(std::shared_ptr<const AgentView> view) {
  absl::MutexLock lock(&mutex_);
  view_ = std::move(view);
  wanted_ = false;
}

void ViewExchange::Turned(bool ready) {
  absl::MutexLock lock(&mutex_);
  ++turns_;
  ready_ = ready;
}

// The turn that is under way may have begun before the question: it counts all
// the same, for a thread that ends a turn does not hang.
AgentHealth ViewExchange::Health() {
  uint64_t seen = 0;
  {
    absl::MutexLock lock(&mutex_);
    seen = turns_;
  }
  ask_();
  const auto turned = [this, seen]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return turns_ != seen; };
  absl::MutexLock lock(&mutex_);
  const bool alive = mutex_.AwaitWithTimeout(absl::Condition(&turned), kPatience);
  return {.alive = alive, .ready = ready_};
}

std::shared_ptr<const AgentView> ViewExchange::Latest() {
  {
    absl::MutexLock lock(&mutex_);
    if (IsFresh()) return view_;
    wanted_ = true;
  }
  ask_();
  const auto shown = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !wanted_; };
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&shown), kPatience);
  return view_;
}

std::shared_ptr<const AgentView> ViewExchange::WaitForChange(uint64_t seen,
                                                             absl::Duration timeout) {
  const auto changed = [this, seen]()
                           ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return generation_ != seen; };
  {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&changed), timeout);
  }
  return Latest();
}

absl::StatusOr<std::vector<MapInfo>> ViewExchange::Maps() { return InspectMaps(bpffs_); }

absl::StatusOr<std::vector<ProgramInfo>> ViewExchange::Programs() {
  return InspectPrograms(bpffs_);
}

absl::StatusOr<VerdictCounters> ViewExchange::Counters() { return ReadCounters(bpffs_); }

absl::StatusOr<AffinityCounts> ViewExchange::Affinity() { return CountAffinity(bpffs_); }

absl::StatusOr<std::vector<AffinityClient>> ViewExchange::AffinityClients() {
  return ReadAffinityClients(bpffs_);
}

absl::StatusOr<std::vector<uint64_t>> ViewExchange::OptOuts() { return ReadOptOuts(bpffs_); }

absl::StatusOr<std::vector<TranslatedSocket>> ViewExchange::Sockets() {
  return ReadSockets(bpffs_);
}

absl::StatusOr<std::vector<PacketFlow>> ViewExchange::Flows() { return ReadFlows(bpffs_); }

std::string ViewExchange::Source() { return source_.Describe(); }

ServiceInput ViewExchange::Input(const NamespacedName& name) { return store_.Find(name); }

}  // namespace shunt
