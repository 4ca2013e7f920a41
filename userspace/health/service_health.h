// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_HEALTH_SERVICE_HEALTH_H_
#define SHUNT_HEALTH_SERVICE_HEALTH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/synchronization/mutex.h"
#include "userspace/health/proxy_health.h"
#include "userspace/http/http_server.h"
#include "userspace/model/cluster.h"

namespace shunt {

// Local endpoints of a Service that are ready, by distinct address.
struct LocalEndpoints {
  size_t ipv4 = 0, ipv6 = 0;

  size_t Of(Family family) const { return family == Family::kIpv4 ? ipv4 : ipv6; }
  friend bool operator==(const LocalEndpoints&, const LocalEndpoints&) = default;
};
LocalEndpoints CountLocalEndpoints(const ServiceInput& input, const std::string& node_name);

// The port where load balancers ask whether this node has endpoints of a
// Service; nullopt where they do not ask.
std::optional<uint16_t> HealthCheckNodePort(const Service& service);

// Answers there (semantics.md 2.10): of type LoadBalancer, externalTrafficPolicy
// Local. Of two Services with one port the first by name has it.
//
// Belongs to the control thread; answers in the server's.
class ServiceHealth {
 public:
  // A port of a Service is taken; it is tried again. Called by the control thread.
  using OnTaken = std::function<void(const NamespacedName& service, const HttpAddress& address,
                                     const absl::Status& why)>;

  // Both outlive this, and nobody else opens ports of `server`.
  ServiceHealth(HttpServer& server, const ProxyHealth& proxy, std::string node_name,
                OnTaken on_taken);
  ~ServiceHealth();  // closes the ports

  // To be called once the kernel serves the changes.
  void Update(const ClusterChanges& changes) ABSL_LOCKS_EXCLUDED(mutex_);
  // Where to listen; unspecified is everywhere, and so it is until the first call.
  void SetAddresses(std::vector<IpAddress> addresses) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    uint16_t port = 0;
    LocalEndpoints endpoints;
  };

  bool UpdateOne(const NamespacedName& name, const ServiceInput& input)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Each with the Service that has it.
  absl::btree_map<HttpAddress, NamespacedName> WantedAddresses() ABSL_LOCKS_EXCLUDED(mutex_);
  void OpenAndClose() ABSL_LOCKS_EXCLUDED(mutex_);
  HttpResponse Answer(uint16_t port, const HttpRequest& request) const ABSL_LOCKS_EXCLUDED(mutex_);

  HttpServer& server_;
  const ProxyHealth& proxy_;
  const std::string node_name_;
  const OnTaken on_taken_;
  std::vector<IpAddress> addresses_ = {IpAddress()};
  absl::btree_set<HttpAddress> open_;

  mutable absl::Mutex mutex_;
  absl::btree_map<NamespacedName, Entry> services_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace shunt

#endif  // SHUNT_HEALTH_SERVICE_HEALTH_H_
