// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_METRICS_SLI_METRICS_H_
#define SHUNT_METRICS_SLI_METRICS_H_

#include <cstdint>
#include <string>

namespace shunt {

// The text of /metrics/slis, as every component of Kubernetes has it: the health
// checks of /healthz, here and in kube-proxy only "ping", which was answered
// `pings` times. Thread-safe.
std::string SliText(uint64_t pings);

}  // namespace shunt

#endif  // SHUNT_METRICS_SLI_METRICS_H_
