// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_HOST_H_
#define SHUNT_AGENT_HOST_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace shunt {

// Where cgroup v2 is mounted on this host: alone, or beside version 1 (hybrid).
// FailedPrecondition, with the command that helps, where it is not.
absl::StatusOr<std::string> FindCgroup2();

// What `--init-only` does, as the privileged init container: mounts the bpf
// file system at /sys/fs/bpf and cgroup v2 at /run/shunt/cgroupv2, where there
// is none yet.
absl::Status PrepareHost();

}  // namespace shunt

#endif  // SHUNT_AGENT_HOST_H_
