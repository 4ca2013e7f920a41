// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_VIEW_EXCHANGE_H_
#define SHUNT_AGENT_VIEW_EXCHANGE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "userspace/agent/cluster_source.h"
#include "userspace/api/agent_view.h"
#include "userspace/store/store.h"

namespace shunt {

// Between the control thread, which knows, and the threads of the API, which
// ask: a view is made only when somebody wants one, and serves all who ask
// until something changes. Thread-safe.
class ViewExchange : public AgentViewSource {
 public:
  // `ask` tells the control thread that a view is wanted; it must not block.
  // `store` and `source` outlive it.
  ViewExchange(std::string bpffs, const Store& store, const ClusterSource& source,
               std::function<void()> ask);

  // Something changed: views from before are old.
  void Advance() ABSL_LOCKS_EXCLUDED(mutex_);
  // For the control thread. The generation of the view that somebody waits for.
  std::optional<uint64_t> Wanted() const ABSL_LOCKS_EXCLUDED(mutex_);
  void Publish(std::shared_ptr<const AgentView> view) ABSL_LOCKS_EXCLUDED(mutex_);
  // It has made a turn. `ready`: traffic is served.
  void Turned(bool ready) ABSL_LOCKS_EXCLUDED(mutex_);

  std::shared_ptr<const AgentView> Latest() override ABSL_LOCKS_EXCLUDED(mutex_);
  std::shared_ptr<const AgentView> WaitForChange(uint64_t seen, absl::Duration timeout) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  AgentHealth Health() override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::vector<MapInfo>> Maps() override;
  absl::StatusOr<std::vector<ProgramInfo>> Programs() override;
  absl::StatusOr<VerdictCounters> Counters() override;
  absl::StatusOr<AffinityCounts> Affinity() override;
  absl::StatusOr<std::vector<AffinityClient>> AffinityClients() override;
  absl::StatusOr<std::vector<uint64_t>> OptOuts() override;
  absl::StatusOr<std::vector<TranslatedSocket>> Sockets() override;
  absl::StatusOr<std::vector<PacketFlow>> Flows() override;
  std::string Source() override;
  ServiceInput Input(const NamespacedName& name) override;

 private:
  bool IsFresh() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return view_->generation == generation_;
  }

  const std::string bpffs_;
  const Store& store_;
  const ClusterSource& source_;
  const std::function<void()> ask_;

  mutable absl::Mutex mutex_;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 1;
  bool wanted_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t turns_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ready_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const AgentView> view_ ABSL_GUARDED_BY(mutex_) =
      std::make_shared<const AgentView>();  // generation 0: old from the start
};

}  // namespace shunt

#endif  // SHUNT_AGENT_VIEW_EXCHANGE_H_
