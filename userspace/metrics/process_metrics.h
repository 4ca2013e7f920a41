// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_METRICS_PROCESS_METRICS_H_
#define SHUNT_METRICS_PROCESS_METRICS_H_

#include "userspace/metrics/families.h"

namespace shunt {

// process_*, of this process as it is now, with the names that every Prometheus
// client has. Thread-safe.
MetricFamilies ProcessFamilies();

}  // namespace shunt

#endif  // SHUNT_METRICS_PROCESS_METRICS_H_
