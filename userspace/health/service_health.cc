// SPDX-License-Identifier: Apache-2.0
#include "userspace/health/service_health.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace shunt {
namespace {

// Names of objects need no escape in JSON: they are DNS labels.
std::string Body(const NamespacedName& name, size_t endpoints, bool healthy) {
  return absl::StrCat("{\n\t\"service\": {\n\t\t\"namespace\": \"", name.name_space,
                      "\",\n\t\t\"name\": \"", name.name,
                      "\"\n\t},\n\t\"localEndpoints\": ", endpoints,
                      ",\n\t\"serviceProxyHealthy\": ", healthy ? "true" : "false", "\n}");
}

}  // namespace

LocalEndpoints CountLocalEndpoints(const ServiceInput& input, const std::string& node_name) {
  absl::flat_hash_set<IpAddress> addresses;
  LocalEndpoints count;
  for (const auto& slice : input.slices) {
    for (const Endpoint& endpoint : slice->endpoints) {
      if (!endpoint.ready || endpoint.node_name != node_name || slice->ports.empty()) continue;
      if (!addresses.insert(endpoint.address).second) continue;
      ++(slice->family == Family::kIpv4 ? count.ipv4 : count.ipv6);
    }
  }
  return count;
}

std::optional<uint16_t> HealthCheckNodePort(const Service& service) {
  const bool asks = service.type == ServiceType::kLoadBalancer &&
                    service.external_policy == TrafficPolicy::kLocal &&
                    service.health_check_node_port != 0 && !service.cluster_ips.empty() &&
                    !service.ignored_by_label && !service.excluded;
  if (!asks) return std::nullopt;
  return service.health_check_node_port;
}

ServiceHealth::ServiceHealth(HttpServer& server, const ProxyHealth& proxy, std::string node_name,
                             OnTaken on_taken)
    : server_(server),
      proxy_(proxy),
      node_name_(std::move(node_name)),
      on_taken_(std::move(on_taken)) {}

ServiceHealth::~ServiceHealth() {
  for (const HttpAddress& address : open_) server_.Close(address);
}

void ServiceHealth::Update(const ClusterChanges& changes) {
  bool ports_changed = false;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [name, input] : changes.services) {
      ports_changed |= UpdateOne(name, input);
    }
  }
  if (ports_changed) OpenAndClose();
}

// Whether its port is another one now.
bool ServiceHealth::UpdateOne(const NamespacedName& name, const ServiceInput& input) {
  const std::optional<uint16_t> port =
      input.service == nullptr ? std::nullopt : HealthCheckNodePort(*input.service);
  if (!port) return services_.erase(name) > 0;
  Entry& entry = services_[name];
  entry.endpoints = CountLocalEndpoints(input, node_name_);
  return std::exchange(entry.port, *port) != *port;
}

void ServiceHealth::SetAddresses(std::vector<IpAddress> addresses) {
  if (addresses == addresses_) return;
  addresses_ = std::move(addresses);
  OpenAndClose();
}

absl::btree_map<HttpAddress, NamespacedName> ServiceHealth::WantedAddresses() {
  absl::btree_map<HttpAddress, NamespacedName> wanted;
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [name, entry] : services_) {
    for (const IpAddress& ip : addresses_) {
      wanted.try_emplace({.ip = ip, .port = entry.port}, name);  // the first one has it
    }
  }
  return wanted;
}

void ServiceHealth::OpenAndClose() {
  const absl::btree_map<HttpAddress, NamespacedName> wanted = WantedAddresses();
  absl::erase_if(open_, [&](const HttpAddress& address) {
    if (wanted.contains(address)) return false;
    server_.Close(address);
    return true;
  });
  for (const auto& [address, service] : wanted) {
    if (!open_.insert(address).second) continue;
    const absl::Status status = server_.Open(
        address,
        [this, port = address.port](const HttpRequest& request) { return Answer(port, request); });
    if (!status.ok()) on_taken_(service, address, status);
  }
}

HttpResponse ServiceHealth::Answer(uint16_t port, const HttpRequest& request) const {
  const bool healthy = proxy_.serves_outside();
  NamespacedName name;
  size_t endpoints = 0;
  {
    absl::ReaderMutexLock lock(&mutex_);
    const auto found = std::find_if(services_.begin(), services_.end(),
                                    [port](const auto& s) { return s.second.port == port; });
    if (found == services_.end()) return {.code = 503};  // gone while it was asked
    name = found->first;
    endpoints = found->second.endpoints.Of(request.family);
  }
  return {.code = endpoints > 0 && healthy ? 200 : 503,
          .headers = {{"Content-Type", "application/json"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"X-Load-Balancing-Endpoint-Weight", absl::StrCat(endpoints)}},
          .body = Body(name, endpoints, healthy)};
}

}  // namespace shunt
