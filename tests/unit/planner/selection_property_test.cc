// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/unit/planner/selecting.h"

namespace shunt {
namespace {

// A second implementation, written from the text of the rules with strings and
// sets and without a look at the first, for random clusters.
namespace reference {

struct Result {
  std::set<std::string> cluster, local;
  bool any_usable = false;
};

struct Copy {
  const EndpointSlice* slice;
  const Endpoint* endpoint;
  bool local;
};

// Of the copies of one ip:port: not terminating wins, then ready, then
// serving, then local, then the first slice by name, then the first in it.
bool Beats(const Copy& a, const Copy& b) {
  if (a.endpoint->terminating != b.endpoint->terminating) return !a.endpoint->terminating;
  if (a.endpoint->ready != b.endpoint->ready) return a.endpoint->ready;
  if (a.endpoint->serving != b.endpoint->serving) return a.endpoint->serving;
  if (a.local != b.local) return a.local;
  if (a.slice != b.slice) return a.slice->meta.name < b.slice->meta.name;
  return a.endpoint < b.endpoint;
}

std::map<std::string, Copy> Merge(const Slices& slices, const PortSelector& port,
                                  const NodeContext& node) {
  std::map<std::string, Copy> merged;
  for (const auto& slice : slices) {
    for (const EndpointPort& slice_port : slice->ports) {
      const bool same = slice_port.name == port.name && slice_port.protocol == port.protocol;
      if (!same || slice->family != port.family || slice_port.port == 0) continue;
      for (const Endpoint& endpoint : slice->endpoints) {
        if (endpoint.address.family() != slice->family) continue;
        const Copy copy{slice.get(), &endpoint,
                        endpoint.node_name != "" && endpoint.node_name == node.name};
        const std::string key = AddressAndPort(endpoint.address, slice_port.port);
        const auto [old, is_new] = merged.emplace(key, copy);
        if (!is_new && Beats(copy, old->second)) old->second = copy;
      }
    }
  }
  return merged;
}

std::set<std::string> NamesOf(EndpointHint::Kind kind, const Endpoint& endpoint) {
  std::set<std::string> names;
  for (const EndpointHint& hint : endpoint.hints) {
    if (hint.kind == kind) names.insert(hint.name);
  }
  return names;
}

bool Has(const std::set<std::string>& hints, const std::string& name) {
  return name != "" && hints.contains(name);
}

// Kubernetes' CategorizeEndpoints, sentence by sentence.
Result Select(const Slices& slices, const PortSelector& port, const ListUse& use,
              const NodeContext& node) {
  const std::map<std::string, Copy> endpoints = Merge(slices, port, node);
  std::set<std::string> ready, leaving, for_node, for_zone, with_node_hint, with_zone_hint;
  std::set<std::string> on_node;
  for (const auto& [key, copy] : endpoints) {
    const Endpoint& endpoint = *copy.endpoint;
    if (copy.local) on_node.insert(key);
    if (endpoint.serving && endpoint.terminating) leaving.insert(key);
    if (!endpoint.ready) continue;
    ready.insert(key);
    const std::set<std::string> node_hints = NamesOf(EndpointHint::Kind::kNode, endpoint);
    const std::set<std::string> zone_hints = NamesOf(EndpointHint::Kind::kZone, endpoint);
    if (!node_hints.empty()) with_node_hint.insert(key);
    if (!zone_hints.empty()) with_zone_hint.insert(key);
    if (Has(node_hints, node.name)) for_node.insert(key);
    if (Has(zone_hints, node.zone)) for_zone.insert(key);
  }
  const auto on_this_node = [&](const std::set<std::string>& keys) {
    std::set<std::string> result;
    std::set_intersection(keys.begin(), keys.end(), on_node.begin(), on_node.end(),
                          std::inserter(result, result.end()));
    return result;
  };
  Result result;
  result.any_usable = !ready.empty() || !leaving.empty();
  if (use.cluster) {
    if (with_node_hint == ready && !for_node.empty()) {
      result.cluster = for_node;
    } else if (with_zone_hint == ready && !for_zone.empty()) {
      result.cluster = for_zone;
    } else {
      result.cluster = ready;
    }
    if (result.cluster.empty()) result.cluster = leaving;
  }
  if (use.local) {
    result.local = on_this_node(ready);
    if (result.local.empty()) result.local = on_this_node(leaving);
  }
  return result;
}

}  // namespace reference

// Random clusters that are small enough for everything to collide.
class RandomCluster {
 public:
  explicit RandomCluster(uint32_t seed) : random_(seed) {}

  Slices MakeSlices() {
    // Half of the clusters have hints on most of their endpoints: else the
    // all-or-nothing rules would hardly ever say all.
    hints_percent_ = Percent(50) ? 95 : 30;
    ready_percent_ = Below(4) * 30;
    Slices slices;
    for (int i = Below(4); i > 0; --i) {
      slices.push_back(MakeOne(absl::StrCat("web-", i)));
    }
    std::shuffle(slices.begin(), slices.end(), random_);
    return slices;
  }

  PortSelector MakePort() {
    static constexpr std::string_view kNames[] = {"", "http"};
    return {.name = kNames[Below(2)],
            .protocol = Percent(80) ? SHUNT_TCP : SHUNT_UDP,
            .family = Percent(70) ? Family::kIpv4 : Family::kIpv6};
  }

  ListUse MakeUse() {
    const int use = 1 + Below(3);
    return {.cluster = (use & 1) != 0, .local = (use & 2) != 0};
  }

  NodeContext MakeNode() { return {.name = AnyOf("node-"), .zone = AnyOf("zone-")}; }

 private:
  int Below(int limit) { return std::uniform_int_distribution<>(0, limit - 1)(random_); }
  bool Percent(int percent) { return Below(100) < percent; }

  // One of "", "PREFIXa", "PREFIXb".
  std::string AnyOf(std::string_view prefix) {
    const int which = Below(5);
    return which == 0 ? "" : std::string(prefix) + (which < 4 ? "a" : "b");
  }

  std::shared_ptr<const EndpointSlice> MakeOne(std::string name) {
    auto slice = MakeSlice(std::move(name), {});
    slice->family = Percent(70) ? Family::kIpv4 : Family::kIpv6;
    slice->ports.clear();
    for (int i = Below(4); i > 0; --i) {
      const PortSelector port = MakePort();
      slice->ports.push_back({.name = std::string(port.name),
                              .protocol = port.protocol,
                              .port = static_cast<uint16_t>(80 * Below(3))});
    }
    for (int i = Below(6); i > 0; --i) {
      slice->endpoints.push_back(MakeEndpoint(slice->family));
    }
    return slice;
  }

  Endpoint MakeEndpoint(Family family) {
    const bool right_family = Percent(95);
    const bool v4 = (family == Family::kIpv4) == right_family;
    Endpoint endpoint = Ready(absl::StrCat(v4 ? "10.0.0." : "fd00::", 1 + Below(6)));
    endpoint.node_name = AnyOf("node-");
    endpoint.ready = Percent(ready_percent_);
    endpoint.serving = Percent(60);
    endpoint.terminating = Percent(40);
    if (Percent(hints_percent_)) {
      endpoint = ForZones(std::move(endpoint), {AnyOf("zone-"), AnyOf("zone-")});
    }
    if (Percent(hints_percent_)) endpoint = ForNodes(std::move(endpoint), {AnyOf("node-")});
    return endpoint;
  }

  std::mt19937 random_;
  int hints_percent_ = 0;
  int ready_percent_ = 0;
};

std::string Describe(const Selected& selection) {
  std::string text;
  for (const Candidate& candidate : selection.candidates) {
    absl::StrAppend(&text, candidate.slice->meta.name.name, " ",
                    AddressAndPort(candidate.endpoint->address, candidate.port),
                    " cluster: ", std::string(FateText(candidate.cluster)),
                    " local: ", std::string(FateText(candidate.local)), "\n");
  }
  return text;
}

std::set<std::string> AsSet(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

// A list gives everybody one share.
void ExpectNoDuplicates(const std::vector<std::string>& list) {
  EXPECT_EQ(AsSet(list).size(), list.size());
}

TEST(EndpointSelection, DoesWhatAnotherReaderOfTheRulesDoes) {
  std::map<Topology, int> seen;
  for (uint32_t seed = 0; seed < 10'000; ++seed) {
    RandomCluster random(seed);
    const Slices slices = random.MakeSlices();
    const PortSelector port = random.MakePort();
    const ListUse use = random.MakeUse();
    const NodeContext node = random.MakeNode();

    const Selected actual = SelectAt(port, slices, use, node);
    const reference::Result expected = reference::Select(slices, port, use, node);

    SCOPED_TRACE(absl::StrCat("seed ", seed, ", topology ", static_cast<int>(actual.topology), "\n",
                              Describe(actual)));
    EXPECT_EQ(AsSet(ClusterList(actual)), expected.cluster);
    EXPECT_EQ(AsSet(LocalList(actual)), expected.local);
    EXPECT_EQ(actual.any_usable, expected.any_usable);
    ExpectNoDuplicates(ClusterList(actual));
    ExpectNoDuplicates(LocalList(actual));
    if (::testing::Test::HasFailure()) return;
    ++seen[actual.topology];
  }
  // The clusters were no walk-over: every rule was asked often.
  EXPECT_GT(seen[Topology::kNone], 1000);
  EXPECT_GT(seen[Topology::kSameZone], 100);
  EXPECT_GT(seen[Topology::kSameNode], 100);
}

}  // namespace
}  // namespace shunt
