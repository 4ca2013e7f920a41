// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_HEALTH_PAGES_H_
#define SHUNT_HEALTH_PAGES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "userspace/health/proxy_health.h"
#include "userspace/http/http_server.h"

namespace shunt {

// Port 10256: /healthz and /livez, and nothing else. `answered` is told the page
// and the code of each answer, for the metrics.
using OnAnswer = std::function<void(std::string_view path, int code)>;
HttpHandler HealthPages(const ProxyHealth& health, OnAnswer answered);

// Port 10249.
struct MetricsPagesSources {
  // In Prometheus' text format: what is counted, and the health checks after so
  // many answers of /healthz.
  std::function<std::string()> metrics;
  std::function<std::string(uint64_t pings)> slis;
  std::function<bool()> ready;           // the kernel holds what the sources say
  std::function<std::string()> configz;  // the configuration, in JSON
};
HttpHandler MetricsPages(MetricsPagesSources sources);

}  // namespace shunt

#endif  // SHUNT_HEALTH_PAGES_H_
