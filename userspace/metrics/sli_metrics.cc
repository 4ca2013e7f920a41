// SPDX-License-Identifier: Apache-2.0
#include "userspace/metrics/sli_metrics.h"

#include <prometheus/text_serializer.h>

#include <utility>

#include "userspace/metrics/families.h"
#include "userspace/metrics/process_metrics.h"

namespace shunt {

std::string SliText(uint64_t pings) {
  auto last = GaugeFamily("kubernetes_healthcheck",
                          "[STABLE] This metric records the result of a single healthcheck.");
  auto total = CounterFamily("kubernetes_healthchecks_total",
                             "[STABLE] This metric records the results of all healthcheck.");
  if (pings > 0) {
    AddSeries(last, {{"name", "ping"}, {"type", "healthz"}}, 1);
    AddSeries(total, {{"name", "ping"}, {"status", "success"}, {"type", "healthz"}},
              static_cast<double>(pings));
  }
  MetricFamilies families = {std::move(last), std::move(total)};
  for (prometheus::MetricFamily& family : ProcessFamilies()) {
    if (family.name == "process_start_time_seconds") families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace shunt
