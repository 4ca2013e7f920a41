// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_CONTROL_PLANE_H_
#define SHUNT_TESTS_BENCH_CONTROL_PLANE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/grace_period.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/planner/planner.h"

namespace shunt::bench {

// What the agent's control thread has, on real maps of its own: nothing is
// attached.
class ControlPlane {
 public:
  static absl::StatusOr<std::unique_ptr<ControlPlane>> Make();

  // Plans and writes. In CPU time, of which others on the machine take nothing
  // away; the thread never waits, so on an idle machine that is the time it takes.
  struct Timings {
    double plan_ns = 0, apply_ns = 0, wall_ns = 0;
    size_t writes = 0;

    double total_ns() const { return plan_ns + apply_ns; }
  };
  absl::StatusOr<Timings> Update(const ClusterChanges& changes);

  // As an agent does that starts and finds the maps full: forgets all that it
  // knows and reads the maps. Returns the CPU time of that. The next Update() has
  // to be the whole cluster.
  absl::StatusOr<double> Restart();

 private:
  explicit ControlPlane(std::unique_ptr<Datapath> datapath);

  std::unique_ptr<Datapath> datapath_;
  std::unique_ptr<RcuGracePeriod> grace_period_;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<Planner> planner_;
  bool complete_ = true;  // the next update is the first
};

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_CONTROL_PLANE_H_
