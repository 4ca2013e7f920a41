// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_CGROUP_H_
#define SHUNT_BASE_CGROUP_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace shunt {

// Cgroups of the v2 hierarchy and their ids, which programs know them by. The id
// of a cgroup that is gone is never given to another. Thread-safe: no state.

// Where the hierarchy is mounted. NotFound: nowhere.
absl::StatusOr<std::string> CgroupMount();

// FailedPrecondition where `path` is no directory of cgroup v2.
absl::StatusOr<uint64_t> CgroupId(const std::string& path);

// The directory of a cgroup. NotFound: it is gone. Needs CAP_DAC_READ_SEARCH.
absl::StatusOr<std::string> CgroupPath(uint64_t id);

// Of the cgroup that a process is in and of all above it. NotFound: there is no
// such process.
absl::StatusOr<std::vector<uint64_t>> CgroupIdsOf(pid_t process);

}  // namespace shunt

#endif  // SHUNT_BASE_CGROUP_H_
