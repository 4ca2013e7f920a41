// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_METRICS_PROGRAMMING_LATENCY_H_
#define SHUNT_METRICS_PROGRAMMING_LATENCY_H_

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "userspace/model/cluster.h"

namespace shunt {

// How long it took from the change of a pod or Service to the kernel: from the
// annotation that the EndpointSlice controller leaves on the slices it writes
// (EndpointSlice::trigger_time). As kube-proxy, it counts no change from before
// the process began, and none that it has counted.
//
// Belongs to the control thread.
class ProgrammingLatency {
 public:
  explicit ProgrammingLatency(absl::Time started) : started_(started) {}

  // One for each slice of `changes` that was triggered since the last time, with
  // the family of its endpoints.
  std::vector<std::pair<Family, absl::Duration>> Take(const ClusterChanges& changes,
                                                      absl::Time now);

 private:
  const absl::Time started_;
  // The newest trigger that was counted, of Services that had one.
  absl::flat_hash_map<NamespacedName, absl::Time> counted_;
};

}  // namespace shunt

#endif  // SHUNT_METRICS_PROGRAMMING_LATENCY_H_
