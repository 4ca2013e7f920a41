// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/planner/cluster_builder.h"
#include "userspace/planner/planner.h"
#include "userspace/state/dump.h"

namespace shunt {
namespace {

// A cluster that changes at random: few names and fewer addresses, so that
// Services come, go, lose their slices and fight for frontends all the time.
class ChangingCluster {
 public:
  explicit ChangingCluster(uint32_t seed) : random_(seed) {}

  ClusterChanges Next() {
    ClusterChanges changes{.node = snapshot_.node};
    for (int i = Below(4); i > 0; --i) {
      const NamespacedName name = InShop(absl::StrCat("web-", Below(6)));
      changes.services[name] = snapshot_.services[name] = MakeInput(name.name);
    }
    if (Below(10) == 0) {
      changes.node_changed = true;
      changes.node = snapshot_.node =
          Below(4) == 0 ? nullptr : NodeInZone(Below(2) == 0 ? "zone-a" : "zone-b");
    }
    if (Below(10) == 0) {
      node_addresses_.clear();
      for (const char* address : {"127.0.0.1", "192.0.2.1", "192.0.2.2", "fd00::1", "10.96.0.1"}) {
        if (Below(2) == 0) node_addresses_.push_back(Ip(address));
      }
    }
    return changes;
  }

  const ClusterSnapshot& snapshot() const { return snapshot_; }
  const std::vector<IpAddress>& node_addresses() const { return node_addresses_; }

 private:
  int Below(int limit) { return std::uniform_int_distribution<>(0, limit - 1)(random_); }

  ServiceInput MakeInput(const std::string& name) {
    if (Below(4) == 0) {
      return {.slices = {MakeRandomSlice(name)}};
    }
    Service service = MakeService(name, {});
    if (Below(8) != 0) service.cluster_ips.push_back(Ip(absl::StrCat("10.96.0.", Below(3))));
    if (Below(3) == 0) service.cluster_ips.push_back(Ip(absl::StrCat("fd00:96::", Below(2))));
    if (Below(3) == 0) service.meta.created = absl::FromUnixSeconds(Below(4));
    if (Below(4) == 0) service.internal_policy = TrafficPolicy::kLocal;
    if (Below(3) == 0) service.ports.push_back({.name = "alt", .port = 81});
    if (Below(8) == 0) service.ports.push_back({.name = "again", .port = 80});
    MakeExternal(service);
    return Input(std::move(service), {MakeRandomSlice(name)});
  }

  void MakeExternal(Service& service) {
    if (Below(2) == 0) return;
    service.type = Below(3) == 0 ? ServiceType::kClusterIp : ServiceType::kLoadBalancer;
    if (Below(2) == 0) service.external_policy = TrafficPolicy::kLocal;
    for (ServicePort& port : service.ports) {
      // Port numbers, too, so that node ports and addresses get in each other's way.
      if (Below(2) == 0) port.node_port = Below(3) == 0 ? 80 : 30080 + Below(2);
    }
    for (const char* address : {"192.0.2.1", "203.0.113.1", "10.96.0.1", "2001:db8::1"}) {
      if (Below(4) == 0) service.external_ips.push_back(Ip(address));
      if (Below(4) == 0) service.load_balancer_ips.push_back(Ip(address));
    }
    if (Below(3) == 0) service.source_ranges.push_back(*Cidr::Parse("192.0.2.0/24"));
    if (Below(8) == 0) service.has_unreadable_sources = true;
    if (Below(4) == 0) service.affinity_timeout_s = 10800;
  }

  std::shared_ptr<const EndpointSlice> MakeRandomSlice(const std::string& name) {
    auto slice = MakeSlice(name, {});
    slice->family = Below(4) == 0 ? Family::kIpv6 : Family::kIpv4;
    for (int i = Below(4); i > 0; --i) {
      Endpoint endpoint =
          Ready(absl::StrCat(slice->family == Family::kIpv4 ? "10.0.0." : "fd00::", Below(5)),
                Below(2) == 0 ? "node-a" : "node-b");
      endpoint.ready = Below(4) != 0;
      endpoint.terminating = Below(4) == 0;
      endpoint.hints = {{.name = Below(2) == 0 ? "zone-a" : "zone-b"}};
      slice->endpoints.push_back(std::move(endpoint));
    }
    return slice;
  }

  std::mt19937 random_;
  ClusterSnapshot snapshot_;
  std::vector<IpAddress> node_addresses_;
};

bool AreEqual(const DatapathState& a, const DatapathState& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && *x.second == *y.second;
  });
}

// What a listener to the changes holds.
void Follow(const StateChanges& changes, DatapathState& follower) {
  for (const auto& [name, state] : changes.changed) {
    if (state == nullptr) {
      EXPECT_EQ(follower.erase(name), 1u) << name.ToString() << " was not there";
    } else {
      EXPECT_FALSE(follower.contains(name) && *follower[name] == *state)
          << name.ToString() << " did not change";
      follower[name] = state;
    }
  }
}

// --- What is served at each address and port, found by asking everybody

struct Claimed {
  shunt_frontend_kind kind;
  absl::Time created;
  NamespacedName name;
  BackendList inside, outside;
  bool checks_source = false, host_only = false;

  auto Right() const { return std::tie(kind, created, name); }
};

using Claims = std::map<FrontendKey, Claimed>;

bool IsLocal(TrafficPolicy policy) { return policy == TrafficPolicy::kLocal; }

// Of one Service, the first port that wants an address as the better kind has it.
Claims ClaimsOf(const NamespacedName& name, const Service& service,
                const std::vector<IpAddress>& node_addresses) {
  Claims claims;
  const auto list = [](bool local) { return local ? BackendList::kLocal : BackendList::kCluster; };
  const bool outside_local =
      IsLocal(service.external_policy) &&
      (service.type != ServiceType::kClusterIp || !service.external_ips.empty());
  const auto claim = [&](const IpAddress& address, uint16_t port, shunt_protocol protocol,
                         shunt_frontend_kind kind) {
    bool has_family = false, has_range = service.has_unreadable_sources;
    for (const IpAddress& ip : service.cluster_ips) has_family |= ip.family() == address.family();
    for (const Cidr& range : service.source_ranges) has_range |= range.family() == address.family();
    if (!has_family) return;
    const bool internal = kind == SHUNT_CLUSTER_IP,
               external = !internal && kind != SHUNT_OTHER_PORTS;
    const FrontendKey key{.address = address, .port = port, .protocol = protocol};
    if (const auto other = claims.find(key); other != claims.end()) {
      if (other->second.kind <= kind) return;
      claims.erase(other);
    }
    claims.try_emplace(key, Claimed{.kind = kind,
                                    .created = service.meta.created,
                                    .name = name,
                                    .inside = list(internal && IsLocal(service.internal_policy)),
                                    .outside = list(internal ? IsLocal(service.internal_policy)
                                                             : external && outside_local),
                                    .checks_source = kind == SHUNT_LOAD_BALANCER_IP && has_range,
                                    .host_only = kind == SHUNT_NODE_PORT && address.IsLoopback()});
  };
  for (const ServicePort& port : service.ports) {
    for (const auto& ip : service.cluster_ips)
      claim(ip, port.port, port.protocol, SHUNT_CLUSTER_IP);
    for (const auto& ip : service.load_balancer_ips) {
      claim(ip, port.port, port.protocol, SHUNT_LOAD_BALANCER_IP);
    }
    for (const auto& ip : service.external_ips) {
      claim(ip, port.port, port.protocol, SHUNT_EXTERNAL_IP);
    }
    if (port.node_port == 0) continue;
    for (const auto& ip : node_addresses) {
      claim(ip, port.node_port, port.protocol, SHUNT_NODE_PORT);
    }
  }
  for (const IpAddress& ip : service.cluster_ips)
    claim(ip, 0, SHUNT_ANY_PROTOCOL, SHUNT_OTHER_PORTS);
  return claims;
}

Claims OwnersOf(const ClusterSnapshot& snapshot, const std::vector<IpAddress>& node_addresses) {
  Claims owners;
  for (const auto& [name, input] : snapshot.services) {
    if (input.service == nullptr) continue;
    for (const auto& [key, claim] : ClaimsOf(name, *input.service, node_addresses)) {
      const auto [owner, is_new] = owners.emplace(key, claim);
      if (!is_new && claim.Right() < owner->second.Right()) owner->second = claim;
    }
  }
  return owners;
}

// "web-1 kind 2 list 1 checks": each key, also as it is dialled from outside.
std::map<std::string, std::string> TextsOf(const Claims& owners) {
  std::map<std::string, std::string> texts;
  const auto text = [](const Claimed& owner, BackendList list) {
    return absl::StrCat(owner.name.ToString(), " kind ", int{owner.kind}, " list ",
                        static_cast<int>(list), owner.checks_source ? " checks" : "",
                        owner.host_only ? " host" : "");
  };
  for (const auto& [key, owner] : owners) {
    texts[key.ToString()] = text(owner, owner.inside);
    if (owner.host_only || owner.outside == owner.inside) continue;
    FrontendKey outside = key;
    outside.scope = SHUNT_SCOPE_OUTSIDE;
    texts[outside.ToString()] = text(owner, owner.outside);
  }
  return texts;
}

std::map<std::string, std::string> TextsIn(const DatapathState& state) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, port] : state) {
    for (const Frontend& frontend : port->frontends) {
      const bool is_new =
          texts
              .emplace(frontend.key.ToString(),
                       absl::StrCat(name.name_space, "/", name.name, " kind ", int{frontend.kind},
                                    " list ", static_cast<int>(frontend.list),
                                    frontend.checks_source ? " checks" : "",
                                    frontend.host_only ? " host" : ""))
              .second;
      EXPECT_TRUE(is_new) << frontend.key.ToString() << " stands in two service ports";
    }
  }
  return texts;
}

TEST(Planner, AfterAnyHistoryTrafficGoesWhereAFreshAgentWouldSendIt) {
  for (uint32_t seed = 0; seed < 170; ++seed) {  // 10,200 clusters
    ChangingCluster cluster(seed);
    Planner planner("node-a");
    DatapathState follower;
    for (int step = 0; step < 60; ++step) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", step ", step));
      const ClusterChanges changes = cluster.Next();
      planner.SetNodePortAddresses(cluster.node_addresses());
      Follow(planner.Update(changes), follower);
      Planner fresh("node-a");
      fresh.SetNodePortAddresses(cluster.node_addresses());
      fresh.Update(cluster.snapshot());
      ASSERT_TRUE(AreEqual(planner.state(), fresh.state()))
          << Dump(planner.state()) << "but from scratch\n"
          << Dump(fresh.state());
      ASSERT_TRUE(AreEqual(planner.state(), follower));
      ASSERT_EQ(planner.problems(), fresh.problems());
      ASSERT_EQ(TextsIn(planner.state()),
                TextsOf(OwnersOf(cluster.snapshot(), cluster.node_addresses())));
    }
    ASSERT_TRUE(
        AreEqual(planner.state(), Plan(cluster.snapshot(), "node-a", cluster.node_addresses())));
  }
}

}  // namespace
}  // namespace shunt
