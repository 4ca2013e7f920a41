// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/control_plane.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/benchmark.h"
#include "tests/support/environment.h"
#include "userspace/base/status.h"

namespace shunt::bench {

absl::StatusOr<std::unique_ptr<ControlPlane>> ControlPlane::Make() {
  static int count = 0;
  const testing::Environment& environment = *testing::GetEnvironment();
  const std::string bpffs = absl::StrCat(environment.bpffs, "/control-", ++count);
  SHUNT_ASSIGN_OR_RETURN(
      std::unique_ptr<Datapath> datapath,
      Datapath::Open({.bpffs = bpffs, .cgroup = environment.cgroup, .build = "bench"}));
  std::unique_ptr<ControlPlane> result(new ControlPlane(std::move(datapath)));
  SHUNT_RETURN_IF_ERROR(result->Restart().status());
  return result;
}

ControlPlane::ControlPlane(std::unique_ptr<Datapath> datapath)
    : datapath_(std::move(datapath)),
      grace_period_(std::make_unique<RcuGracePeriod>(
          MembarrierOr([] { return absl::UnavailableError("needs membarrier(2)"); }))) {}

absl::StatusOr<double> ControlPlane::Restart() {
  reconciler_ = std::make_unique<Reconciler>(datapath_->maps(), *grace_period_);
  planner_ = std::make_unique<Planner>("node-0");
  complete_ = true;
  const double start = CpuNs();
  SHUNT_RETURN_IF_ERROR(reconciler_->Adopt());
  return CpuNs() - start;
}

absl::StatusOr<ControlPlane::Timings> ControlPlane::Update(const ClusterChanges& changes) {
  const double wall = NowNs(), start = CpuNs();
  StateChanges plan = planner_->Update(changes);
  plan.complete = std::exchange(complete_, false);
  const double planned = CpuNs();
  const Reconciler::Result result = reconciler_->Apply(plan);
  const double applied = CpuNs();
  if (result.pending > 0) return absl::InternalError(result.failures.front().ToString());
  return Timings{.plan_ns = planned - start,
                 .apply_ns = applied - planned,
                 .wall_ns = NowNs() - wall,
                 .writes = result.writes};
}

}  // namespace shunt::bench
