// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_METRICS_AGENT_METRICS_H_
#define SHUNT_METRICS_AGENT_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "userspace/metrics/families.h"
#include "userspace/metrics/programming_latency.h"
#include "userspace/model/cluster.h"

namespace shunt {

// An update of the kernel, as the control thread saw it.
struct AppliedUpdate {
  absl::Duration took;
  bool complete = false;  // all was written, not only what changed
  size_t writes = 0;
  size_t pending = 0;  // service ports that are not yet as desired
};

// What /metrics says. kube-proxy's metrics have its names, labels and buckets,
// so that its dashboards and alerts go on working; ours begin with "shunt_".
// README.md lists them.
//
// Thread-safe. Whoever counts never waits for who scrapes.
class AgentMetrics {
 public:
  AgentMetrics(std::string_view version, absl::Time started);

  // For the control thread.
  void Applied(const AppliedUpdate& update, const ClusterChanges& changes, absl::Time now);
  void SetProblems(size_t count) { problems_.Set(static_cast<double>(count)); }
  // All is written that was queued, or nothing of it concerns the kernel.
  void UpToDate(absl::Time now);
  // For who hears from the reaper: sockets since the reaper started.
  void SetSocketsEnded(uint64_t total);
  // For who changes something.
  void Queued(absl::Time now);
  // For the server of /healthz and /livez.
  void Answered(std::string_view path, int code);

  // Prometheus' text format: all of the above, this process, and `more`.
  std::string Text(const MetricFamilies& more) const;

 private:
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;

  // Both families are written by one update: it is observed for each.
  struct PerFamily {
    Histogram& ipv4;
    Histogram& ipv6;
    void Observe(double value) {
      ipv4.Observe(value);
      ipv6.Observe(value);
    }
  };
  struct GaugePerFamily {
    Gauge& ipv4;
    Gauge& ipv6;
    void Set(double value) {
      ipv4.Set(value);
      ipv6.Set(value);
    }
  };
  PerFamily SyncHistogram(const std::string& name, const std::string& help);
  PerFamily ProgrammingHistogram();
  GaugePerFamily TimeGauge(const std::string& name, const std::string& help);
  Counter& NewCounter(const std::string& name, const std::string& help);
  Gauge& NewGauge(const std::string& name, const std::string& help);

  prometheus::Registry registry_;
  PerFamily sync_, full_sync_, partial_sync_, programming_;
  GaugePerFamily last_sync_, last_queued_;
  prometheus::Family<Counter>& healthz_;
  prometheus::Family<Counter>& livez_;
  Counter& writes_;
  Counter& failures_;
  Gauge& pending_;
  Gauge& problems_;
  Gauge& synced_;
  Counter& sockets_ended_;
  uint64_t ended_by_reaper_ = 0;  // of who hears from the reaper

  ProgrammingLatency latency_;  // of the control thread
};

}  // namespace shunt

#endif  // SHUNT_METRICS_AGENT_METRICS_H_
