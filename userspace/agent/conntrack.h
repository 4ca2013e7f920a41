// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_CONNTRACK_H_
#define SHUNT_AGENT_CONNTRACK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/config/proxy_config.h"

namespace shunt {

// A number in a file of /proc/sys or /sys.
struct KernelSetting {
  std::string path;
  int64_t value = 0;
  bool only_raise = false;  // a higher number that is there stays
  bool operator==(const KernelSetting&) const = default;
};

// What kube-proxy sets for conntrack. Shunt needs none of it, but what else is on
// the node may have come to rely on it. Pure.
std::vector<KernelSetting> ConntrackSettings(const ProxyConfig& config, int cpus);

// Writes those that differ, below `root` ("" for this host); nothing where the
// kernel has no conntrack. What cannot be written is a line in the log.
void ApplySettings(const std::string& root, const std::vector<KernelSetting>& settings);

}  // namespace shunt

#endif  // SHUNT_AGENT_CONNTRACK_H_
