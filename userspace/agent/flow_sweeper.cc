// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/flow_sweeper.h"

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "userspace/base/status.h"
#include "userspace/datapath/flow_sweep.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

constexpr absl::Duration kBetweenPasses = absl::Seconds(5);
constexpr absl::Duration kBetweenSteps = absl::Milliseconds(10);

}  // namespace

FlowSweeper::FlowSweeper(std::string bpffs)
    : bpffs_(std::move(bpffs)), thread_([this] { Run(); }) {}

FlowSweeper::~FlowSweeper() {
  stop_.Notify();
  thread_.join();
}

// What fails is told once, until something else does: a kernel that cannot (before
// 5.14) never will.
void FlowSweeper::Run() {
  absl::Status told;
  do {
    const absl::Status status = Pass();
    if (!status.ok() && status != told) LogError("flows are not swept", {{"err", status}});
    told = status;
  } while (!stop_.WaitForNotificationWithTimeout(kBetweenPasses));
}

absl::Status FlowSweeper::Pass() {
  absl::StatusOr<std::unique_ptr<FlowSweep>> sweep = FlowSweep::Begin(bpffs_);
  if (absl::IsNotFound(sweep.status())) return absl::OkStatus();  // not pinned yet
  SHUNT_RETURN_IF_ERROR(sweep.status());
  FlowSweep::Step step;
  do {
    SHUNT_ASSIGN_OR_RETURN(step, (*sweep)->Next());
  } while (!step.complete && !stop_.WaitForNotificationWithTimeout(kBetweenSteps));
  return absl::OkStatus();
}

}  // namespace shunt
