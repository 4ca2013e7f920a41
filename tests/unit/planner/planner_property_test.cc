// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <random>

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
    return changes;
  }

  const ClusterSnapshot& snapshot() const { return snapshot_; }

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
    return Input(std::move(service), {MakeRandomSlice(name)});
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

// Who owns each address and port, found by asking everybody.
std::map<FrontendKey, NamespacedName> OwnersOf(const ClusterSnapshot& snapshot) {
  std::map<FrontendKey, std::pair<absl::Time, NamespacedName>> owners;
  for (const auto& [name, input] : snapshot.services) {
    if (input.service == nullptr) continue;
    for (const ServicePort& port : input.service->ports) {
      for (const IpAddress& address : input.service->cluster_ips) {
        const FrontendKey key{.address = address, .port = port.port, .protocol = port.protocol};
        const std::pair claim(input.service->meta.created, name);
        const auto [owner, is_new] = owners.emplace(key, claim);
        if (!is_new && claim < owner->second) owner->second = claim;
      }
    }
  }
  std::map<FrontendKey, NamespacedName> names;
  for (const auto& [key, owner] : owners) names[key] = owner.second;
  return names;
}

std::map<FrontendKey, NamespacedName> OwnersIn(const DatapathState& state) {
  std::map<FrontendKey, NamespacedName> owners;
  for (const auto& [name, port] : state) {
    for (const Frontend& frontend : port->frontends) {
      const bool is_new =
          owners.emplace(frontend.key, NamespacedName{name.name_space, name.name}).second;
      EXPECT_TRUE(is_new) << frontend.key.ToString() << " stands in two service ports";
    }
  }
  return owners;
}

TEST(Planner, AfterAnyHistoryTrafficGoesWhereAFreshAgentWouldSendIt) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    ChangingCluster cluster(seed);
    Planner planner("node-a");
    DatapathState follower;
    for (int step = 0; step < 60; ++step) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", step ", step));
      Follow(planner.Update(cluster.Next()), follower);
      Planner fresh("node-a");
      fresh.Update(cluster.snapshot());
      ASSERT_TRUE(AreEqual(planner.state(), fresh.state()))
          << Dump(planner.state()) << "but from scratch\n"
          << Dump(fresh.state());
      ASSERT_TRUE(AreEqual(planner.state(), follower));
      ASSERT_EQ(planner.problems(), fresh.problems());
      ASSERT_EQ(OwnersIn(planner.state()), OwnersOf(cluster.snapshot()));
    }
    ASSERT_TRUE(AreEqual(planner.state(), Plan(cluster.snapshot(), "node-a")));
  }
}

}  // namespace
}  // namespace shunt
