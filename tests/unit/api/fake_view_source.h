// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_API_FAKE_VIEW_SOURCE_H_
#define SHUNT_TESTS_UNIT_API_FAKE_VIEW_SOURCE_H_

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "userspace/api/agent_view.h"

namespace shunt {

// An agent whose knowledge the test writes. Thread-safe, as the real one is.
class FakeViewSource : public AgentViewSource {
 public:
  // The next generation, with `view`'s content.
  void Publish(AgentView view) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    view.generation = view_->generation + 1;
    view_ = std::make_shared<const AgentView>(std::move(view));
  }

  void PublishState(DatapathState state) {
    AgentView view = *Latest();
    view.state = std::move(state);
    Publish(std::move(view));
  }

  std::shared_ptr<const AgentView> Latest() override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return view_;
  }

  std::shared_ptr<const AgentView> WaitForChange(uint64_t seen, absl::Duration timeout) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto changed = [this, seen]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return view_->generation != seen;
    };
    mutex_.AwaitWithTimeout(absl::Condition(&changed), timeout);
    return view_;
  }

  AgentHealth Health() override { return health; }
  absl::StatusOr<std::vector<MapInfo>> Maps() override { return maps; }
  absl::StatusOr<std::vector<ProgramInfo>> Programs() override { return programs; }
  absl::StatusOr<VerdictCounters> Counters() override { return counters; }
  absl::StatusOr<AffinityCounts> Affinity() override { return affinity; }
  absl::StatusOr<std::vector<AffinityClient>> AffinityClients() override { return clients; }
  absl::StatusOr<std::vector<uint64_t>> OptOuts() override { return opt_outs; }
  absl::StatusOr<std::vector<TranslatedSocket>> Sockets() override { return sockets; }
  absl::StatusOr<std::vector<PacketFlow>> Flows() override { return flows; }
  std::string Source() override { return "manifests /etc/shunt/manifests"; }
  ServiceInput Input(const NamespacedName& name) override {
    const auto input = inputs.find(name);
    return input == inputs.end() ? ServiceInput{} : input->second;
  }

  // To be set before anybody asks.
  AgentHealth health = {.alive = true, .ready = true};
  absl::StatusOr<std::vector<MapInfo>> maps = std::vector<MapInfo>();
  absl::StatusOr<std::vector<ProgramInfo>> programs = std::vector<ProgramInfo>();
  absl::StatusOr<VerdictCounters> counters = VerdictCounters{};
  absl::StatusOr<AffinityCounts> affinity = AffinityCounts{};
  absl::StatusOr<std::vector<AffinityClient>> clients = std::vector<AffinityClient>();
  absl::StatusOr<std::vector<uint64_t>> opt_outs = std::vector<uint64_t>();
  absl::StatusOr<std::vector<TranslatedSocket>> sockets = std::vector<TranslatedSocket>();
  absl::StatusOr<std::vector<PacketFlow>> flows = std::vector<PacketFlow>();
  std::map<NamespacedName, ServiceInput> inputs;

 private:
  absl::Mutex mutex_;
  std::shared_ptr<const AgentView> view_ ABSL_GUARDED_BY(mutex_) = std::make_shared<AgentView>();
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_API_FAKE_VIEW_SOURCE_H_
