// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_GRACE_PERIOD_H_
#define SHUNT_DATAPATH_GRACE_PERIOD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "userspace/datapath/map_store.h"

namespace shunt {

// Waits until every program that was running has ended: synchronize_rcu() from
// userspace. Thread-safe.
using RcuWait = std::function<absl::Status()>;

// membarrier(MEMBARRIER_CMD_GLOBAL): 5 to 18 ms. Where the kernel does not
// offer it (nohz_full; a seccomp profile) this returns `fallback`, not null.
RcuWait MembarrierOr(RcuWait fallback);

// Grace periods on a thread of its own, which sleeps unless asked. One run
// serves all who asked before it began; those who ask while one is under way
// share the next. Thread-safe. Destroying it waits for a run that is under way.
class RcuGracePeriod : public GracePeriod {
 public:
  // Where `wait` fails, it waits `instead`: no program of ours runs longer than
  // microseconds, and no CPU holds up RCU for a second without the kernel
  // complaining of a stall.
  explicit RcuGracePeriod(RcuWait wait, absl::Duration instead = absl::Seconds(1));
  ~RcuGracePeriod() override;

  uint64_t Begin() override;
  bool HasEnded(uint64_t ticket) override;
  void WaitFor(uint64_t ticket) override;

 private:
  void Run();
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || asked_ > begun_;
  }

  const RcuWait wait_;
  const absl::Duration instead_;
  absl::Mutex mutex_;
  // Numbers of runs; a ticket is the number of the run that serves it.
  uint64_t asked_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t begun_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_GRACE_PERIOD_H_
