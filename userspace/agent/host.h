// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_HOST_H_
#define SHUNT_AGENT_HOST_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/config/proxy_config.h"

namespace shunt {

// Where cgroup v2 is mounted on this host: alone, or beside version 1 (hybrid).
// FailedPrecondition, with the command that helps, where it is not.
absl::StatusOr<std::string> FindCgroup2();

// What `--init-only` does, as the privileged init container: mounts the bpf
// file system at /sys/fs/bpf and cgroup v2 at /run/shunt/cgroupv2, where there
// is none yet, and sets what the configuration says of conntrack.
absl::Status PrepareHost(const ProxyConfig& config);

// Whether the kernel may end this process where memory is short: -1000 (never)
// to 1000. What is not allowed is a line in the log.
void SetOomScore(int64_t score);

}  // namespace shunt

#endif  // SHUNT_AGENT_HOST_H_
