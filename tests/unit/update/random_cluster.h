// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_UPDATE_RANDOM_CLUSTER_H_
#define SHUNT_TESTS_UNIT_UPDATE_RANDOM_CLUSTER_H_

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/planner/cluster_builder.h"
#include "userspace/base/absl_view.h"
#include "userspace/model/cluster.h"

namespace shunt {

// A cluster that changes at random, over few names, addresses and ports, so that
// everything meets everything: Services come, go and take each other's addresses,
// endpoints become ready, terminate and come back, policies, ranges, affinity and
// hints change, Services are handed over to others and taken back, the node moves to
// another zone and gets other addresses.
//
// Load-balancer IPs alone are never two Services': which ranges count would change
// with the owner, and no order of single writes is right for all of both.
class RandomCluster {
 public:
  explicit RandomCluster(unsigned seed) : random_(seed) {}

  // One to four Services become different, seldom the node.
  ClusterChanges Next() {
    ClusterChanges changes;
    for (int n = 1 + Below(4); n > 0; --n) {
      const int i = Below(8);
      const NamespacedName name = InShop(absl::StrCat("web-", i));
      snapshot_.services[name] = Changed(i, snapshot_.services[name]);
      changes.services[name] = snapshot_.services[name];
    }
    if (Below(8) == 0) {
      changes.node_changed = true;
      snapshot_.node = RandomNode();
    }
    changes.node = snapshot_.node;
    if (Below(8) == 0) MoveNodePorts();
    return changes;
  }

  const ClusterSnapshot& snapshot() const { return snapshot_; }
  const std::vector<IpAddress>& node_port_addresses() const { return node_port_addresses_; }

  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

 private:
  bool OneIn(int n) { return Below(n) == 0; }

  // Often it is the Service alone, often its slices alone.
  ServiceInput Changed(int i, ServiceInput input) {
    if (OneIn(2)) input.service = OneIn(5) ? nullptr : RandomService(i);
    if (input.slices.empty() || OneIn(2)) {
      input.slices.clear();
      for (int n = Below(4); n > 0; --n) input.slices.push_back(RandomSlice(i, n));
    }
    return input;
  }

  std::shared_ptr<const Service> RandomService(int i) {
    Service service = MakeService(absl::StrCat("web-", i), {});
    service.type = static_cast<ServiceType>(Below(3));
    if (!OneIn(10)) service.cluster_ips.push_back(Ip(absl::StrCat("10.96.0.", Below(6))));
    if (OneIn(2)) service.cluster_ips.push_back(Ip(absl::StrCat("fd00:96::", Below(6))));
    if (OneIn(3)) service.meta.created = absl::FromUnixSeconds(Below(4));
    if (OneIn(3)) service.internal_policy = TrafficPolicy::kLocal;
    if (OneIn(2)) service.external_policy = TrafficPolicy::kLocal;
    if (OneIn(3)) service.affinity_timeout_s = 10800;
    if (OneIn(3)) service.on_backend_removal = BackendRemoval::kImmediate;
    if (OneIn(3)) service.ports.push_back({.name = "udp", .protocol = SHUNT_UDP, .port = 80});
    if (OneIn(4)) service.ports.push_back({.name = "alt", .port = 81});
    if (OneIn(6)) service.ports.push_back({.name = "alt", .protocol = SHUNT_SCTP, .port = 81});
    for (ServicePort& port : service.ports) {
      if (OneIn(2)) port.node_port = static_cast<uint16_t>(30080 + Below(3));
    }
    if (OneIn(3)) service.external_ips.push_back(Ip(absl::StrCat("203.0.113.", Below(2))));
    if (OneIn(2)) AddLoadBalancer(i, service);
    if (OneIn(6)) HandOver(service);
    return std::make_shared<Service>(std::move(service));
  }

  // To somebody else: nothing of it is ours.
  void HandOver(Service& service) {
    if (OneIn(3)) service.type = ServiceType::kExternalName;
    service.ignored_by_label = OneIn(2);
    service.excluded = OneIn(2);
  }

  void AddLoadBalancer(int i, Service& service) {
    for (std::string_view prefix : {"198.18.0.", "198.18.1.", "2001:db8:ff::"}) {
      if (!OneIn(3)) service.load_balancer_ips.push_back(Ip(absl::StrCat(Absl(prefix), i)));
    }
    service.has_unreadable_sources = OneIn(8);
    for (std::string_view range : {"10.0.0.0/8", "10.1.2.0/24", "198.51.100.1/32", "203.0.113.0/24",
                                   "2001:db8:1::/48", "::/1"}) {
      if (OneIn(3)) service.source_ranges.push_back(*Cidr::Parse(range));
    }
  }

  std::shared_ptr<const EndpointSlice> RandomSlice(int service, int n) {
    const Family family = OneIn(3) ? Family::kIpv6 : Family::kIpv4;
    auto slice = MakeSlice(absl::StrCat("web-", service, "-", n), {});
    slice->family = family;
    slice->ports[0].port = static_cast<uint16_t>(8080 + Below(2));
    if (OneIn(2)) slice->ports.push_back({.name = "udp", .protocol = SHUNT_UDP, .port = 8080});
    if (OneIn(2)) slice->ports.push_back({.name = "alt", .port = 8081});
    if (OneIn(4)) slice->ports.push_back({.name = "alt", .protocol = SHUNT_SCTP, .port = 8081});
    for (int i = Below(4); i > 0; --i) slice->endpoints.push_back(RandomEndpoint(family));
    return slice;
  }

  Endpoint RandomEndpoint(Family family) {
    const std::string_view prefix = family == Family::kIpv4 ? "10.244.0." : "fd00:244::";
    Endpoint endpoint = Ready(absl::StrCat(Absl(prefix), Below(6)), OneIn(2) ? "node-a" : "node-b");
    endpoint.ready = !OneIn(3);
    endpoint.serving = endpoint.ready || OneIn(2);
    endpoint.terminating = OneIn(4);
    if (!OneIn(3)) endpoint = ForZones(std::move(endpoint), {OneIn(2) ? "zone-a" : "zone-b"});
    if (OneIn(3)) endpoint = ForNodes(std::move(endpoint), {OneIn(2) ? "node-a" : "node-b"});
    return endpoint;
  }

  // Seldom unknown. An address of it may be in a range: then a Service's own
  // load-balancer IPs are sources, too.
  std::shared_ptr<const Node> RandomNode() {
    if (OneIn(5)) return nullptr;
    Node node = *NodeInZone(OneIn(2) ? "zone-a" : "zone-b");
    node.addresses = {Ip(OneIn(2) ? "10.1.2.1" : "192.0.2.1")};
    return std::make_shared<Node>(std::move(node));
  }

  void MoveNodePorts() {
    node_port_addresses_.clear();
    for (const char* address : {"127.0.0.1", "192.0.2.1", "192.0.2.2", "::1", "2001:db8::1"}) {
      if (OneIn(2)) node_port_addresses_.push_back(Ip(address));
    }
  }

  std::mt19937 random_;
  ClusterSnapshot snapshot_;
  std::vector<IpAddress> node_port_addresses_;
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_UPDATE_RANDOM_CLUSTER_H_
