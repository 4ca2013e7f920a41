// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/servers.h"

#include <sys/resource.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "userspace/agent/node_facts.h"
#include "userspace/base/status.h"
#include "userspace/health/pages.h"
#include "userspace/metrics/kernel_metrics.h"
#include "userspace/metrics/sli_metrics.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

// A port costs a file descriptor, and there may be a thousand.
void RaiseFileLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Unless bindAddressHardFail, an address that is taken is tried again and again.
absl::Status Open(const Options& options, HttpServer& server,
                  const std::optional<HttpAddress>& address, HttpHandler handler) {
  if (!address) return absl::OkStatus();
  absl::Status status = server.Open(*address, std::move(handler));
  return options.config.Bool("bindAddressHardFail") ? status : absl::OkStatus();
}

// kube-proxy's, which counts a change once for each family.
void AddChanges(const Store::ChangeCounts& counts, MetricFamilies& families) {
  const auto add = [&families](const std::string& kind, uint64_t total, uint64_t pending) {
    const std::string name =
        absl::StrCat("kubeproxy_sync_proxy_rules_", absl::AsciiStrToLower(kind), "_changes_");
    auto all = CounterFamily(name + "total",
                             absl::StrCat("[ALPHA] Cumulative proxy rules ", kind, " changes"));
    auto waiting = GaugeFamily(name + "pending",
                               absl::StrCat("[ALPHA] Pending proxy rules ", kind, " changes"));
    AddSeries(all, {}, static_cast<double>(total));
    AddSeries(waiting, {}, static_cast<double>(pending));
    families.push_back(std::move(all));
    families.push_back(std::move(waiting));
  };
  add("Service", counts.services, counts.pending_services);
  add("Endpoint", counts.slices, counts.pending_slices);
}

std::string Configz(const ProxyConfig& config) {
  return absl::StrCat(R"({"kubeproxy.config.k8s.io":)", config.ToJson(KubeProxyKind(), -1),
                      R"(,"shunt.config":)", config.ToJson(ShuntKind(), -1), "}");
}

}  // namespace

Servers::Servers(const Options& options, const Store& store, const ClusterSource& source)
    : bpffs_(options.bpffs),
      store_(store),
      source_(source),
      config_watch_(options, [this](const ProxyConfig& config) { Take(config); }),
      // Load balancers outside must go elsewhere where only sockets are served.
      health_({.timeout = 2 * options.config.SyncPeriod(), .serves_outside = options.packets}),
      metrics_(SHUNT_VERSION, absl::Now()),
      metrics_address_(options.metrics_address),
      configz_(Configz(options.config)) {}

absl::StatusOr<std::unique_ptr<Servers>> Servers::Start(const Options& options, const Store& store,
                                                        const ClusterSource& source) {
  RaiseFileLimit();
  std::unique_ptr<Servers> servers(new Servers(options, store, source));
  SHUNT_ASSIGN_OR_RETURN(servers->probes_, HttpServer::Start());
  SHUNT_ASSIGN_OR_RETURN(servers->scrapes_, HttpServer::Start());
  servers->service_health_ = std::make_unique<ServiceHealth>(
      *servers->probes_, servers->health_, options.node_name,
      [&source](const NamespacedName& service, const HttpAddress& address,
                const absl::Status& why) {
        source.Record(FailedToStartServiceHealth(service, address, why));
      });
  SHUNT_RETURN_IF_ERROR(servers->Listen(options));
  return servers;
}

absl::Status Servers::Listen(const Options& options) {
  absl::Status status = Open(options, *probes_, options.healthz_address,
                             HealthPages(health_, [this](std::string_view path, int code) {
                               metrics_.Answered(path, code);
                             }));
  if (!status.ok()) {
    TellBeforeTheEnd(options, FailedToStartHealthz(status));
    return status;
  }
  status = Open(options, *scrapes_, metrics_address_, Metrics());
  if (!status.ok()) TellBeforeTheEnd(options, FailedToStartMetrics(status));
  return status;
}

HttpHandler Servers::Metrics() {
  return MetricsPages({.metrics = [this] { return MetricsText(); },
                       .slis = &SliText,
                       .ready = [this] { return ready_.load(); },
                       .configz =
                           [this] {
                             absl::ReaderMutexLock lock(&mutex_);
                             return configz_;
                           }});
}

// An address that is taken is tried again, whatever bindAddressHardFail says: what
// runs is not ended by an edited file.
void Servers::Take(const ProxyConfig& config) {
  health_.SetTimeout(2 * config.SyncPeriod());
  {
    absl::MutexLock lock(&mutex_);
    configz_ = Configz(config);
  }
  const auto address = BindAddress(config, "metricsBindAddress");
  if (!address.ok() || *address == metrics_address_) return;
  if (metrics_address_) scrapes_->Close(*metrics_address_);
  metrics_address_ = *address;
  if (metrics_address_) (void)scrapes_->Open(*metrics_address_, Metrics());
}

std::string Servers::MetricsText() const {
  const absl::StatusOr<KernelSample> sample = ReadKernel(bpffs_);
  if (!sample.ok()) LogVerbose(2, "metrics without the maps", {{"err", sample.status()}});
  MetricFamilies families = sample.ok() ? KernelFamilies(*sample) : MetricFamilies();
  AddChanges(store_.change_counts(), families);
  for (prometheus::MetricFamily& family : source_.Metrics()) families.push_back(std::move(family));
  auto differs = GaugeFamily("shunt_config_differs",
                             "1 where the files of configuration are not those that the agent "
                             "runs with: a restart takes them.");
  AddSeries(differs, {}, config_watch_.differs() ? 1 : 0);
  families.push_back(std::move(differs));
  return metrics_.Text(families);
}

void Servers::Queued() {
  const absl::Time now = absl::Now();
  health_.Queued(now);
  metrics_.Queued(now);
}

void Servers::Applied(const AppliedUpdate& update, const ClusterChanges& changes) {
  metrics_.Applied(update, changes, absl::Now());
  service_health_->Update(changes);
}

void Servers::UpToDate(const Node* node, size_t problems) {
  if (node != nullptr) health_.SetNodeEligible(!node->being_removed);
  metrics_.SetProblems(problems + store_.sizes().problems);
  metrics_.UpToDate(absl::Now());
  health_.Updated();
  ready_ = true;
}

void Servers::SetNodePortAddresses(std::vector<IpAddress> addresses) {
  service_health_->SetAddresses(std::move(addresses));
}

}  // namespace shunt
