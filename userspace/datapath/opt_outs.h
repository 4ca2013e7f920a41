// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_OPT_OUTS_H_
#define SHUNT_DATAPATH_OPT_OUTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace shunt {

// Cgroups whose processes, with those of all cgroups below, the programs leave
// alone: pods with a mesh sidecar, say, which is to see the ClusterIP that they
// dial. Kept in the pinned map shunt_opt_outs by the cgroup's id, so that agents
// come and go; the id of a cgroup that is gone is never given to another.
//
// Needs root. Fails with NotFound where no maps are pinned in `bpffs`.

// `cgroup`: a directory of cgroup v2, or FailedPrecondition. Adding what is
// there and removing what is not succeed.
absl::Status AddOptOut(const std::string& bpffs, const std::string& cgroup);
absl::Status RemoveOptOut(const std::string& bpffs, const std::string& cgroup);
absl::Status RemoveOptOut(const std::string& bpffs, uint64_t cgroup_id);

// Ids of the cgroups, sorted.
absl::StatusOr<std::vector<uint64_t>> ReadOptOuts(const std::string& bpffs);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_OPT_OUTS_H_
