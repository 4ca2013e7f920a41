// SPDX-License-Identifier: Apache-2.0
#include "userspace/metrics/agent_metrics.h"

#include <prometheus/text_serializer.h>

#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "userspace/metrics/process_metrics.h"

namespace shunt {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

Buckets SyncBuckets() {  // 1 ms doubled, 15 times
  Buckets buckets;
  for (int i = 0; i < 15; ++i) buckets.push_back(0.001 * (1 << i));
  return buckets;
}

Buckets ProgrammingBuckets() {
  Buckets buckets = {0.25, 0.5};
  for (int seconds = 1; seconds < 60; ++seconds) buckets.push_back(seconds);
  for (int seconds = 60; seconds < 120; seconds += 5) buckets.push_back(seconds);
  for (int seconds = 120; seconds <= 300; seconds += 30) buckets.push_back(seconds);
  return buckets;
}

prometheus::Labels FamilyLabel(const char* family) { return {{"ip_family", family}}; }

double UnixSeconds(absl::Time time) { return absl::ToDoubleSeconds(time - absl::UnixEpoch()); }

}  // namespace

AgentMetrics::AgentMetrics(std::string_view version, absl::Time started)
    : sync_(SyncHistogram("sync_proxy_rules", "[ALPHA] SyncProxyRules latency in seconds")),
      full_sync_(SyncHistogram("sync_full_proxy_rules",
                               "[ALPHA] SyncProxyRules latency in seconds for full resyncs")),
      partial_sync_(SyncHistogram("sync_partial_proxy_rules",
                                  "[ALPHA] SyncProxyRules latency in seconds for partial resyncs")),
      programming_(ProgrammingHistogram()),
      last_sync_(TimeGauge("last", "[ALPHA] The last time proxy rules were successfully synced")),
      last_queued_(
          TimeGauge("last_queued", "[ALPHA] The last time a sync of proxy rules was queued")),
      healthz_(prometheus::BuildCounter()
                   .Name("kubeproxy_proxy_healthz_total")
                   .Help("[ALPHA] Cumulative proxy healthz HTTP status")
                   .Register(registry_)),
      livez_(prometheus::BuildCounter()
                 .Name("kubeproxy_proxy_livez_total")
                 .Help("[ALPHA] Cumulative proxy livez HTTP status")
                 .Register(registry_)),
      writes_(NewCounter("shunt_bpf_map_writes_total", "Writes to the maps that succeeded.")),
      failures_(NewCounter("shunt_reconcile_errors_total",
                           "Updates after which the maps did not hold all that they should.")),
      pending_(NewGauge("shunt_pending_service_ports",
                        "Service ports that are not yet in the kernel as desired.")),
      problems_(NewGauge("shunt_invalid_objects",
                         "Things in the cluster's objects that cannot be used; shuntctl status "
                         "names them.")),
      synced_(NewGauge("shunt_synced",
                       "1 once every source has listed, and the kernel holds what it said.")),
      sockets_ended_(NewCounter("shunt_sockets_ended_total",
                                "Sockets that shunt-reaper ended, for their backend was gone.")),
      latency_(started) {
  prometheus::BuildGauge()
      .Name("shunt_build_info")
      .Help("The version, as a label of a constant 1.")
      .Register(registry_)
      .Add({{"version", std::string(version)}})
      .Set(1);
}

AgentMetrics::PerFamily AgentMetrics::SyncHistogram(const std::string& name,
                                                    const std::string& help) {
  auto& family = prometheus::BuildHistogram()
                     .Name(absl::StrCat("kubeproxy_", name, "_duration_seconds"))
                     .Help(help)
                     .Register(registry_);
  return {.ipv4 = family.Add(FamilyLabel("IPv4"), SyncBuckets()),
          .ipv6 = family.Add(FamilyLabel("IPv6"), SyncBuckets())};
}

AgentMetrics::PerFamily AgentMetrics::ProgrammingHistogram() {
  auto& family = prometheus::BuildHistogram()
                     .Name("kubeproxy_network_programming_duration_seconds")
                     .Help("[ALPHA] In Cluster Network Programming Latency in seconds")
                     .Register(registry_);
  return {.ipv4 = family.Add(FamilyLabel("IPv4"), ProgrammingBuckets()),
          .ipv6 = family.Add(FamilyLabel("IPv6"), ProgrammingBuckets())};
}

AgentMetrics::GaugePerFamily AgentMetrics::TimeGauge(const std::string& name,
                                                     const std::string& help) {
  auto& family = prometheus::BuildGauge()
                     .Name(absl::StrCat("kubeproxy_sync_proxy_rules_", name, "_timestamp_seconds"))
                     .Help(help)
                     .Register(registry_);
  return {.ipv4 = family.Add(FamilyLabel("IPv4")), .ipv6 = family.Add(FamilyLabel("IPv6"))};
}

AgentMetrics::Counter& AgentMetrics::NewCounter(const std::string& name, const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add({});
}

AgentMetrics::Gauge& AgentMetrics::NewGauge(const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add({});
}

void AgentMetrics::Queued(absl::Time now) { last_queued_.Set(UnixSeconds(now)); }

void AgentMetrics::Applied(const AppliedUpdate& update, const ClusterChanges& changes,
                           absl::Time now) {
  const double seconds = absl::ToDoubleSeconds(update.took);
  sync_.Observe(seconds);
  (update.complete ? full_sync_ : partial_sync_).Observe(seconds);
  writes_.Increment(static_cast<double>(update.writes));
  pending_.Set(static_cast<double>(update.pending));
  if (update.pending > 0) failures_.Increment();
  for (const auto& [family, latency] : latency_.Take(changes, now)) {
    (family == Family::kIpv4 ? programming_.ipv4 : programming_.ipv6)
        .Observe(absl::ToDoubleSeconds(latency));
  }
}

void AgentMetrics::UpToDate(absl::Time now) {
  synced_.Set(1);
  last_sync_.Set(UnixSeconds(now));
}

// Less than before: another reaper, which counts from its own start.
void AgentMetrics::SetSocketsEnded(uint64_t total) {
  const uint64_t before = std::exchange(ended_by_reaper_, total);
  sockets_ended_.Increment(static_cast<double>(total >= before ? total - before : total));
}

void AgentMetrics::Answered(std::string_view path, int code) {
  (path == "/livez" ? livez_ : healthz_).Add({{"code", absl::StrCat(code)}}).Increment();
}

std::string AgentMetrics::Text(const MetricFamilies& more) const {
  MetricFamilies families = registry_.Collect();
  for (MetricFamilies part : {ProcessFamilies(), more}) {
    families.insert(families.end(), std::make_move_iterator(part.begin()),
                    std::make_move_iterator(part.end()));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace shunt
