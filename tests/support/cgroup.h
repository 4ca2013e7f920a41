// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_CGROUP_H_
#define SHUNT_TESTS_SUPPORT_CGROUP_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace shunt::testing {

// Where the cgroup v2 hierarchy is mounted, from /proc/self/mounts.
absl::StatusOr<std::string> FindCgroup2Mount();

absl::Status MakeCgroup(const std::string& path);

// Moves this process, with all its threads. Sockets that it makes from then on
// run the programs of that cgroup.
absl::Status JoinCgroup(const std::string& path);

// Kills whatever is in it and removes it with everything below.
absl::Status RemoveCgroup(const std::string& path);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_CGROUP_H_
