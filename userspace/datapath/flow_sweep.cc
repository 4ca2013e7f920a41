// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/flow_sweep.h"

#include <bpf/bpf.h>

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "shunt/abi.h"
#include "shunt/flow_timeout.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"
#include "userspace/datapath/bpf_batch.h"
#include "userspace/datapath/coarse_clock.h"
#include "userspace/datapath/inspect.h"
#include "userspace/datapath/pins.h"

namespace shunt {
namespace {

constexpr size_t kEntriesOfStep = 1024;

class PinnedFlowSweep final : public FlowSweep {
 public:
  PinnedFlowSweep(UniqueFd flows, UniqueFd backends, const shunt_config& config)
      : flows_(std::move(flows)),
        backends_(std::move(backends)),
        config_(config),
        walk_(flows_.get(), sizeof(shunt_flow_key), sizeof(shunt_flow), kEntriesOfStep) {}

  absl::StatusOr<Step> Next() override;

 private:
  bool IsThere(const shunt_backend_ref& ref);
  bool IsOver(const shunt_flow_key& key, const shunt_flow& flow);
  absl::StatusOr<bool> Remove(const shunt_flow_key& key);

  const UniqueFd flows_, backends_;
  const shunt_config config_;
  HashWalk walk_;
  // Generations of this step, 0 of ids that are free: few backends have many flows.
  absl::flat_hash_map<uint32_t, uint32_t> generations_;
};

bool PinnedFlowSweep::IsThere(const shunt_backend_ref& ref) {
  const auto [known, is_new] = generations_.try_emplace(ref.id, 0);
  if (is_new) {
    shunt_backend backend = {};
    if (bpf_map_lookup_elem(backends_.get(), &ref.id, &backend) == 0 &&
        backend.state != SHUNT_BACKEND_FREE) {
      known->second = backend.generation;
    }
  }
  return known->second == ref.generation;
}

bool PinnedFlowSweep::IsOver(const shunt_flow_key& key, const shunt_flow& flow) {
  const uint64_t idle = IdleNs(CoarseNowNs(), flow.last_used_ns);
  if (idle >= shunt_flow_timeout(&config_, key.protocol, flow.state)) return true;
  return idle >= SHUNT_RESET_TIMEOUT_NS && !IsThere(flow.backend);
}

absl::StatusOr<bool> PinnedFlowSweep::Remove(const shunt_flow_key& key) {
  shunt_flow flow = {};
  if (bpf_map_lookup_and_delete_elem(flows_.get(), &key, &flow) < 0) {
    if (errno == ENOENT) return false;
    return ErrnoStatus("remove an entry of map shunt_flows");
  }
  if (IsOver(key, flow)) return true;
  bpf_map_update_elem(flows_.get(), &key, &flow, BPF_NOEXIST);
  return false;
}

absl::StatusOr<FlowSweep::Step> PinnedFlowSweep::Next() {
  generations_.clear();
  Step step;
  SHUNT_ASSIGN_OR_RETURN(step.seen, walk_.Step());
  for (size_t i = 0; i < step.seen; ++i) {
    const auto key = walk_.KeyAt<shunt_flow_key>(i);
    if (!IsOver(key, walk_.ValueAt<shunt_flow>(i))) continue;
    SHUNT_ASSIGN_OR_RETURN(const bool removed, Remove(key));
    step.removed += removed ? 1 : 0;
  }
  step.complete = walk_.at_end();
  return step;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FlowSweep>> FlowSweep::Begin(const std::string& bpffs) {
  const PinDirectory pins(bpffs);
  SHUNT_ASSIGN_OR_RETURN(UniqueFd flows, pins.Open("shunt_flows"));
  SHUNT_ASSIGN_OR_RETURN(UniqueFd backends, pins.OpenReadOnly("shunt_backends"));
  SHUNT_ASSIGN_OR_RETURN(const shunt_config config, ReadConfig(bpffs));
  return std::make_unique<PinnedFlowSweep>(std::move(flows), std::move(backends), config);
}

}  // namespace shunt
