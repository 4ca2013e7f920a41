// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/frontends.h"

#include <algorithm>

namespace shunt {
namespace {

BackendList ListOf(TrafficPolicy policy) {
  return policy == TrafficPolicy::kLocal ? BackendList::kLocal : BackendList::kCluster;
}

bool HasFamily(const Service& service, Family family) {
  return std::any_of(service.cluster_ips.begin(), service.cluster_ips.end(),
                     [family](const IpAddress& address) { return address.family() == family; });
}

// A family without a range is open, as kube-proxy has it; but not where a range
// could not be read, which may have been one of that family.
bool ChecksSource(const Service& service, Family family) {
  return service.has_unreadable_sources ||
         std::any_of(service.source_ranges.begin(), service.source_ranges.end(),
                     [family](const Cidr& range) { return range.family() == family; });
}

// Collects the frontends of one port of a Service; made for one call.
class FrontendCollector {
 public:
  FrontendCollector(const Service& service, const ServicePort& port)
      : service_(service), port_(port) {}

  void AddClusterIps() {
    for (const IpAddress& address : service_.cluster_ips) {
      Add({.key = {.address = address, .port = port_.port, .protocol = port_.protocol},
           .kind = SHUNT_CLUSTER_IP,
           .list = ListOf(service_.internal_policy)});
    }
  }

  void AddLoadBalancerIps() {
    for (const IpAddress& address : service_.load_balancer_ips) {
      AddExternal({.key = {.address = address, .port = port_.port, .protocol = port_.protocol},
                   .kind = SHUNT_LOAD_BALANCER_IP,
                   .checks_source = ChecksSource(service_, address.family())});
    }
  }

  void AddExternalIps() {
    for (const IpAddress& address : service_.external_ips) {
      AddExternal({.key = {.address = address, .port = port_.port, .protocol = port_.protocol},
                   .kind = SHUNT_EXTERNAL_IP});
    }
  }

  void AddNodePorts(const std::vector<IpAddress>& addresses) {
    if (port_.node_port == 0) return;
    for (const IpAddress& address : addresses) {
      const Frontend frontend = {
          .key = {.address = address, .port = port_.node_port, .protocol = port_.protocol},
          .kind = SHUNT_NODE_PORT,
          .host_only = address.IsLoopback()};
      if (frontend.host_only) {
        AddOfFamily(frontend);  // nothing from outside arrives there
      } else {
        AddExternal(frontend);
      }
    }
  }

  std::vector<Frontend> Take() && { return std::move(frontends_); }

 private:
  // From this node every endpoint of the cluster is reached, whatever the
  // external policy: as if the packet had left the node and come back.
  void AddExternal(Frontend frontend) {
    if (!AddOfFamily(frontend) || !IsExternalPolicyLocal(service_)) return;
    frontend.key.scope = SHUNT_SCOPE_OUTSIDE;
    frontend.list = BackendList::kLocal;
    Add(frontend);
  }

  bool AddOfFamily(const Frontend& frontend) {
    return HasFamily(service_, frontend.key.address.family()) && Add(frontend);
  }

  bool Add(const Frontend& frontend) {
    const bool is_new =
        std::none_of(frontends_.begin(), frontends_.end(),
                     [&](const Frontend& other) { return other.key == frontend.key; });
    if (is_new) frontends_.push_back(frontend);
    return is_new;
  }

  const Service& service_;
  const ServicePort& port_;
  std::vector<Frontend> frontends_;
};

bool HoldsAny(const std::vector<Cidr>& ranges, const std::vector<IpAddress>& addresses) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Cidr& range) {
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](const IpAddress& address) { return range.Contains(address); });
  });
}

}  // namespace

std::vector<Frontend> FrontendsOf(const Service& service, const ServicePort& port,
                                  const NodeContext& node) {
  FrontendCollector collector(service, port);
  collector.AddClusterIps();
  collector.AddLoadBalancerIps();
  collector.AddExternalIps();
  collector.AddNodePorts(node.node_port_addresses);
  return std::move(collector).Take();
}

std::vector<Frontend> OtherPortsOf(const Service& service) {
  std::vector<Frontend> frontends;
  for (const IpAddress& address : service.cluster_ips) {
    frontends.push_back({.key = {.address = address, .port = 0, .protocol = SHUNT_ANY_PROTOCOL},
                         .kind = SHUNT_OTHER_PORTS,
                         .when_empty = SHUNT_NO_PORT});
  }
  return frontends;
}

std::vector<Cidr> SourcesOf(const Service& service, const NodeContext& node) {
  std::vector<Cidr> sources = service.source_ranges;
  if (HoldsAny(sources, node.addresses)) {
    for (const IpAddress& address : service.load_balancer_ips) {
      sources.push_back(Cidr::Of(address));
    }
  }
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  return sources;
}

void EmptyUnusedLists(ServicePortState& state) {
  bool used[2][2] = {};  // by family and list
  const auto row = [](const IpAddress& address) { return static_cast<int>(address.family()); };
  for (const Frontend& frontend : state.frontends) {
    if (frontend.kind != SHUNT_OTHER_PORTS) {
      used[row(frontend.key.address)][static_cast<int>(frontend.list)] = true;
    }
  }
  for (Backend& backend : state.backends) {
    const bool* const lists = used[row(backend.address)];
    backend.in_cluster_list &= lists[static_cast<int>(BackendList::kCluster)];
    backend.in_local_list &= lists[static_cast<int>(BackendList::kLocal)];
  }
}

FrontendKey ClaimKeyOf(const FrontendKey& key) {
  FrontendKey claimed = key;
  claimed.scope = SHUNT_SCOPE_NODE;
  return claimed;
}

}  // namespace shunt
