// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_DATAPATH_STATES_H_
#define SHUNT_TESTS_UNIT_DATAPATH_STATES_H_

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "tests/unit/state/state_builder.h"
#include "userspace/base/absl_view.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

inline ServicePortName Name(std::string name) {
  return {.name_space = "shop", .name = std::move(name), .port = "http"};
}

inline Frontend Front(std::string_view address, uint16_t port = 80,
                      BackendList list = BackendList::kCluster) {
  return {.key = Key(address, port), .list = list};
}

// Backends 10.244.0.LAST:8080, all chosen.
inline std::vector<Backend> Pods(const std::vector<int>& last) {
  std::vector<Backend> backends;
  for (int n : last) backends.push_back(Chosen(absl::StrCat("10.244.0.", n), 8080));
  return backends;
}

// A service port with one frontend 10.96.0.LAST:80.
inline ServicePortStatePtr OneFrontend(int last, const std::vector<int>& pods) {
  return Port({Front(absl::StrCat("10.96.0.", last))}, Pods(pods));
}

inline StateChanges All(const DatapathState& state) {
  StateChanges changes{.complete = true};
  for (const auto& [name, service] : state) changes.changed[name] = service;
  return changes;
}

// What makes `after` of `before`.
inline StateChanges Difference(const DatapathState& before, const DatapathState& after) {
  StateChanges changes;
  for (const auto& [name, service] : before) {
    if (!after.contains(name)) changes.changed[name] = nullptr;
  }
  for (const auto& [name, service] : after) {
    auto old = before.find(name);
    if (old == before.end() || *old->second != *service) changes.changed[name] = service;
  }
  return changes;
}

// Only those who are in one of `ranges` may dial the frontend of this Service, a
// load-balancer IP 192.0.2.LAST.
inline ServicePortStatePtr ForRanges(int last, const std::vector<std::string_view>& ranges) {
  Frontend frontend = Front(absl::StrCat("192.0.2.", last));
  frontend.kind = SHUNT_LOAD_BALANCER_IP;
  frontend.checks_source = true;
  ServicePortState state{.frontends = {frontend}, .backends = Pods({last})};
  for (std::string_view range : ranges) state.sources.push_back(Cidr::Parse(range).value());
  std::sort(state.sources.begin(), state.sources.end());
  return std::make_shared<ServicePortState>(std::move(state));
}

// What of a service port is to be seen in the maps: neither lists that no
// frontend chooses from nor, where there is no frontend, what frontends say.
inline ServicePortStatePtr Visible(ServicePortState state) {
  for (Backend& backend : state.backends) {
    const Backend planned = backend;
    backend.in_cluster_list = backend.in_local_list = false;
    for (const Frontend& frontend : state.frontends) {
      if (!frontend.Chooses(planned)) continue;
      (frontend.list == BackendList::kLocal ? backend.in_local_list : backend.in_cluster_list) =
          true;
    }
  }
  if (state.frontends.empty()) {
    state.affinity_timeout_s = 0;
    state.ends_tcp = false;
  }
  return std::make_shared<ServicePortState>(std::move(state));
}

inline DatapathState Visible(DatapathState state) {
  for (auto& [name, service] : state) service = Visible(*service);
  return state;
}

// What a state means to those who dial.
struct Meaning {
  absl::btree_map<FrontendKey, std::string> frontends;
  absl::btree_map<ServicePortName, absl::btree_set<std::string>> backends;
  friend bool operator==(const Meaning&, const Meaning&) = default;
};

inline Meaning MeaningOf(const DatapathState& state) {
  Meaning meaning;
  for (const auto& [name, service] : state) {
    for (const Frontend& frontend : service->frontends) {
      std::string& text = meaning.frontends[frontend.key];
      absl::StrAppend(&text, name.ToString(), " verdict ", static_cast<int>(frontend.when_empty));
      for (const Backend& b : service->ListOf(frontend)) absl::StrAppend(&text, " ", b.ToString());
    }
    auto& backends = meaning.backends[name];
    for (const Backend& backend : service->backends) backends.insert(backend.ToString());
  }
  return meaning;
}

inline bool Same(const DatapathState& a, const DatapathState& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && *x.second == *y.second;
  });
}

// Random states over few names, frontends and backends, so that everything
// meets everything: frontends go from one service port to another, backends
// come back, lists become empty, families mix.
class RandomStates {
 public:
  explicit RandomStates(unsigned seed) : random_(seed) {}

  DatapathState Any() {
    DatapathState state;
    for (int i = 0; i < 8; ++i) {
      if (Below(4) != 0) Redo(state, i);
    }
    return state;
  }

  // One to three service ports differ.
  DatapathState Next(DatapathState state) {
    for (int n = 1 + Below(3); n > 0; --n) {
      const int i = Below(8);
      if (Below(4) == 0) {
        state.erase(Name(absl::StrCat("s", i)));
      } else {
        Redo(state, i);
      }
    }
    return state;
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

 private:
  void Redo(DatapathState& state, int service) {
    const ServicePortName name = Name(absl::StrCat("s", service));
    absl::btree_map<FrontendKey, Frontend> wanted;
    for (int n = Below(4); n > 0; --n) {
      const FrontendKey key = RandomKey();
      wanted[key] = {.key = key,
                     .kind = Below(2) == 0 ? SHUNT_NODE_PORT : SHUNT_CLUSTER_IP,
                     .list = static_cast<BackendList>(Below(4) == 0),
                     .host_only = Below(4) == 0};
    }
    if (Below(4) == 0) AddOtherPorts(wanted);
    if (Below(2) == 0) AddLoadBalancer(service, wanted);
    std::vector<Frontend> frontends;
    for (const auto& [key, frontend] : wanted) {
      TakeAway(state, key);
      frontends.push_back(frontend);
    }
    absl::btree_map<std::pair<IpAddress, uint16_t>, Backend> backends;
    for (int n = Below(7); n > 0; --n) {
      const Backend backend = RandomBackend();
      backends[{backend.address, backend.port}] = backend;
    }
    std::vector<Backend> sorted;
    for (const auto& [address, backend] : backends) sorted.push_back(backend);
    ServicePortState port{.frontends = std::move(frontends), .backends = std::move(sorted)};
    port.sources = RandomRanges();
    if (Below(3) == 0) port.affinity_timeout_s = 10800;
    port.ends_tcp = Below(4) == 0;
    state[name] = Visible(std::move(port));
  }

  void AddOtherPorts(absl::btree_map<FrontendKey, Frontend>& wanted) {
    const FrontendKey key = Key(absl::StrCat("10.96.0.", Below(3)), 0, SHUNT_ANY_PROTOCOL);
    wanted[key] = {.key = key, .kind = SHUNT_OTHER_PORTS, .when_empty = SHUNT_NO_PORT};
  }

  // One for each Service: who may dial it never depends on another one's ranges.
  void AddLoadBalancer(int service, absl::btree_map<FrontendKey, Frontend>& wanted) {
    for (std::string_view prefix : {"192.0.2.", "2001:db8::"}) {
      FrontendKey key = Key(absl::StrCat(Absl(prefix), service), 80);
      Frontend frontend{.key = key, .kind = SHUNT_LOAD_BALANCER_IP, .checks_source = Below(4) != 0};
      if (Below(3) != 0) wanted[key] = frontend;
      frontend.key.scope = SHUNT_SCOPE_OUTSIDE;
      frontend.list = BackendList::kLocal;
      if (Below(3) == 0) wanted[frontend.key] = frontend;
    }
  }

  std::vector<Cidr> RandomRanges() {
    std::vector<Cidr> ranges;
    for (std::string_view range : {"10.0.0.0/8", "10.1.2.0/24", "198.51.100.1/32", "203.0.113.0/24",
                                   "2001:db8:1::/48", "::/0"}) {
      if (Below(3) == 0) ranges.push_back(Cidr::Parse(range).value());
    }
    std::sort(ranges.begin(), ranges.end());
    return ranges;
  }

  static void TakeAway(DatapathState& state, const FrontendKey& key) {
    for (auto& [name, service] : state) {
      ServicePortState without = *service;
      std::erase_if(without.frontends, [&](const Frontend& f) { return f.key == key; });
      if (without.frontends.size() != service->frontends.size()) {
        service = Visible(std::move(without));
      }
    }
  }

  FrontendKey RandomKey() {
    const int n = Below(10);
    return n < 7 ? Key(absl::StrCat("10.96.0.", n), 80) : Key(absl::StrCat("fd00::", n), 80);
  }

  Backend RandomBackend() {
    const int n = Below(12);
    return {.address = n < 8 ? Ip(absl::StrCat("10.244.0.", n)) : Ip(absl::StrCat("fd01::", n)),
            .port = 8080,
            .in_cluster_list = Below(5) != 0,
            .in_local_list = Below(3) == 0};
  }

  std::mt19937 random_;
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_DATAPATH_STATES_H_
