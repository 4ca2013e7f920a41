// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_SERVERS_H_
#define SHUNT_AGENT_SERVERS_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/agent/cluster_source.h"
#include "userspace/agent/config_watch.h"
#include "userspace/agent/options.h"
#include "userspace/health/service_health.h"
#include "userspace/http/http_server.h"
#include "userspace/metrics/agent_metrics.h"
#include "userspace/store/store.h"

namespace shunt {

// What the agent says over HTTP of its own work, to load balancers, Prometheus
// and people: 10256, 10249 and the Services' health check node ports. The control
// thread tells it what it did; nobody who asks makes the control thread wait, nor
// one who scrapes those who probe: they are answered by two threads.
class Servers {
 public:
  // Fails where an address is taken and options.bind_address_hard_fail. `store`
  // and `source` outlive this.
  static absl::StatusOr<std::unique_ptr<Servers>> Start(const Options& options, const Store& store,
                                                        const ClusterSource& source);

  // From any thread: something is there to be written.
  void Queued();
  // From the control thread: what was written, and what for.
  void Applied(const AppliedUpdate& update, const ClusterChanges& changes);
  // From the control thread, once all is written that was known. `problems`: of
  // the planner; `node` may be null.
  void UpToDate(const Node* node, size_t problems);
  // From any one thread: sockets that the reaper ended since it started.
  void SocketsEnded(uint64_t total) { metrics_.SetSocketsEnded(total); }
  void SetNodePortAddresses(std::vector<IpAddress> addresses);
  ConfigWatch& config_watch() { return config_watch_; }

 private:
  Servers(const Options& options, const Store& store, const ClusterSource& source);
  absl::Status Listen(const Options& options);
  HttpHandler Metrics();
  void Take(const ProxyConfig& config) ABSL_LOCKS_EXCLUDED(mutex_);
  std::string MetricsText() const;

  const std::string bpffs_;
  const Store& store_;
  const ClusterSource& source_;
  ConfigWatch config_watch_;
  ProxyHealth health_;
  AgentMetrics metrics_;
  std::atomic<bool> ready_ = false;
  std::optional<HttpAddress> metrics_address_;

  mutable absl::Mutex mutex_;
  std::string configz_ ABSL_GUARDED_BY(mutex_);

  // Before what they serve, and so gone after it.
  std::unique_ptr<HttpServer> probes_;
  std::unique_ptr<ServiceHealth> service_health_;
  std::unique_ptr<HttpServer> scrapes_;
};

}  // namespace shunt

#endif  // SHUNT_AGENT_SERVERS_H_
