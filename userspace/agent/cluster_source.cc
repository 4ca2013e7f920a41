// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/cluster_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

MetricLabels Of(std::string_view resource) { return {{"resource", std::string(resource)}}; }

}  // namespace

absl::Status ClusterSource::Start(const Options& options, Store& store) {
  absl::MutexLock lock(&mutex_);
  if (!options.manifests.empty()) {
    manifests_path_ = options.manifests;
    SHUNT_ASSIGN_OR_RETURN(manifests_, ManifestSource::Start(options.manifests, store));
  } else {
    SHUNT_ASSIGN_OR_RETURN(kubernetes_, KubernetesSource::Start(options.kubernetes, store));
  }
  return absl::OkStatus();
}

void ClusterSource::Stop() {
  absl::MutexLock lock(&mutex_);
  manifests_.reset();
  kubernetes_.reset();
}

void ClusterSource::Record(NodeEvent event) const {
  absl::MutexLock lock(&mutex_);
  if (kubernetes_ != nullptr) kubernetes_->Record(std::move(event));
}

std::string ClusterSource::Describe() const {
  absl::MutexLock lock(&mutex_);
  if (manifests_ != nullptr) return absl::StrCat("manifests ", manifests_path_);
  return kubernetes_ == nullptr ? "" : kubernetes_->stats().Describe(absl::Now());
}

MetricFamilies ClusterSource::Metrics() const {
  absl::MutexLock lock(&mutex_);
  if (kubernetes_ == nullptr) return {};
  return ApiClientFamilies(kubernetes_->stats(), absl::Now());
}

MetricFamilies ApiClientFamilies(const KubernetesSource::Stats& stats, absl::Time now) {
  auto requests = CounterFamily("rest_client_requests_total",
                                "[ALPHA] Number of HTTP requests, partitioned by status code, "
                                "method, and host.");
  for (const auto& [key, count] : stats.requests) {
    AddSeries(requests,
              {{"code", key.code == 0 ? "<error>" : absl::StrCat(key.code)},
               {"method", std::string(key.method)},
               {"host", key.host}},
              static_cast<double>(count));
  }
  auto watches = CounterFamily("shunt_k8s_watch_restarts_total",
                               "Watches at the API server that were opened, by resource.");
  auto lists = CounterFamily("shunt_k8s_relists_total",
                             "Times that all objects were asked for, by resource.");
  auto doubted = CounterFamily("shunt_k8s_doubted_lists_total",
                               "Lists without most of what was known, which a second one had to "
                               "confirm, by resource.");
  auto heard = GaugeFamily("shunt_k8s_watch_last_event_timestamp_seconds",
                           "When the API server last said something, an event or a bookmark.");
  auto staleness = GaugeFamily("shunt_k8s_watch_staleness_seconds",
                               "How old may be what is known of a resource.");
  for (const KubernetesSource::Progress& progress : stats.progress) {
    const Reflector::Status& status = progress.status;
    AddSeries(watches, Of(progress.resource), static_cast<double>(status.watches));
    AddSeries(lists, Of(progress.resource), static_cast<double>(status.lists));
    AddSeries(doubted, Of(progress.resource), static_cast<double>(status.doubted));
    if (status.heard == absl::InfinitePast()) continue;
    AddSeries(heard, Of(progress.resource),
              absl::ToDoubleSeconds(status.heard - absl::UnixEpoch()));
    AddSeries(staleness, Of(progress.resource), absl::ToDoubleSeconds(now - status.heard));
  }
  auto events = CounterFamily("shunt_node_events_total",
                              "Events about this node that the API server has taken or refused.");
  AddSeries(events, {{"outcome", "posted"}}, static_cast<double>(stats.events.posted));
  AddSeries(events, {{"outcome", "refused"}}, static_cast<double>(stats.events.refused));
  return {requests, watches, lists, doubted, heard, staleness, events};
}

}  // namespace shunt
