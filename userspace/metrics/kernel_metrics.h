// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_METRICS_KERNEL_METRICS_H_
#define SHUNT_METRICS_KERNEL_METRICS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "shunt/abi.h"
#include "userspace/datapath/inspect.h"
#include "userspace/metrics/families.h"

namespace shunt {

// What the pinned maps and programs hold at one moment: the truth about traffic,
// and nobody has to be asked for it.
struct KernelSample {
  std::vector<MapInfo> maps;
  std::vector<ProgramInfo> programs;
  std::vector<MapStore::FrontendEntry> frontends;
  uint64_t ipv4_backends = 0, ipv6_backends = 0;
  VerdictCounters verdicts = {};
  AffinityCounts affinity;
};

// Thread-safe; takes milliseconds.
absl::StatusOr<KernelSample> ReadKernel(const std::string& bpffs);

// A pure function.
MetricFamilies KernelFamilies(const KernelSample& sample);

}  // namespace shunt

#endif  // SHUNT_METRICS_KERNEL_METRICS_H_
