// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_MODEL_SERVICE_H_
#define SHUNT_MODEL_SERVICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/types.h"
#include "userspace/base/ip_address.h"
#include "userspace/model/object.h"

namespace shunt {

std::string_view ProtocolName(shunt_protocol protocol);  // "TCP", "UDP", "SCTP"

enum class ServiceType : uint8_t { kClusterIp, kNodePort, kLoadBalancer, kExternalName };
enum class TrafficPolicy : uint8_t { kCluster, kLocal };
enum class BackendRemoval : uint8_t { kDrain, kImmediate };

// An element of spec.ports. Ports are in host byte order.
struct ServicePort {
  std::string name;  // "" where the only port has none
  shunt_protocol protocol = SHUNT_TCP;
  uint16_t port = 0;
  uint16_t node_port = 0;  // 0: none

  friend bool operator==(const ServicePort&, const ServicePort&) = default;
};

// A v1 Service: the fields that decide where traffic goes, decoded and valid.
// What could not be used was left out by the decoder, with a Problem.
struct Service {
  ObjectMeta meta;
  ServiceType type = ServiceType::kClusterIp;
  // spec.clusterIPs, else spec.clusterIP; empty where headless or not yet
  // allocated. At most one for each family.
  std::vector<IpAddress> cluster_ips;
  std::vector<IpAddress> external_ips;
  // status.loadBalancer.ingress[].ip with ipMode nil or VIP.
  std::vector<IpAddress> load_balancer_ips;
  // spec.loadBalancerSourceRanges as semantics.md 2.2 reads them. A family that
  // has none is open to everybody, or, where `has_unreadable_sources`, to nobody.
  std::vector<Cidr> source_ranges;
  bool has_unreadable_sources = false;
  TrafficPolicy internal_policy = TrafficPolicy::kCluster;
  TrafficPolicy external_policy = TrafficPolicy::kCluster;
  // sessionAffinity ClientIP: its timeout in seconds.
  std::optional<uint32_t> affinity_timeout_s;
  uint16_t health_check_node_port = 0;
  std::vector<ServicePort> ports;
  // Labels service.kubernetes.io/service-proxy-name or .../headless are set:
  // somebody else's.
  bool ignored_by_label = false;
  bool excluded = false;  // annotation service.shunt/exclude: "true"
  BackendRemoval on_backend_removal = BackendRemoval::kDrain;

  friend bool operator==(const Service&, const Service&) = default;
};

}  // namespace shunt

#endif  // SHUNT_MODEL_SERVICE_H_
