// SPDX-License-Identifier: Apache-2.0
#include "userspace/metrics/programming_latency.h"

#include <algorithm>

namespace shunt {

std::vector<std::pair<Family, absl::Duration>> ProgrammingLatency::Take(
    const ClusterChanges& changes, absl::Time now) {
  std::vector<std::pair<Family, absl::Duration>> latencies;
  for (const auto& [name, input] : changes.services) {
    if (input.service == nullptr) {
      counted_.erase(name);
      continue;
    }
    const auto found = counted_.find(name);
    const absl::Time counted = found == counted_.end() ? started_ : found->second;
    absl::Time newest = counted;
    for (const auto& slice : input.slices) {
      if (slice->trigger_time <= counted) continue;
      latencies.emplace_back(slice->family, now - slice->trigger_time);
      newest = std::max(newest, slice->trigger_time);
    }
    if (newest > counted) counted_[name] = newest;
  }
  return latencies;
}

}  // namespace shunt
