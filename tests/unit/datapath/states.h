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

// What a state means, without the names of lists, which maps do not keep.
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
    absl::btree_set<FrontendKey> wanted;
    for (int n = Below(4); n > 0; --n) wanted.insert(RandomKey());
    std::vector<Frontend> frontends;
    for (const FrontendKey& key : wanted) {
      TakeAway(state, key);
      frontends.push_back({.key = key, .list = static_cast<BackendList>(Below(4) == 0)});
    }
    absl::btree_map<std::pair<IpAddress, uint16_t>, Backend> backends;
    for (int n = Below(7); n > 0; --n) {
      const Backend backend = RandomBackend();
      backends[{backend.address, backend.port}] = backend;
    }
    std::vector<Backend> sorted;
    for (const auto& [address, backend] : backends) sorted.push_back(backend);
    state[name] = Port(std::move(frontends), std::move(sorted));
  }

  static void TakeAway(DatapathState& state, const FrontendKey& key) {
    for (auto& [name, service] : state) {
      ServicePortState without = *service;
      std::erase_if(without.frontends, [&](const Frontend& f) { return f.key == key; });
      if (without.frontends.size() != service->frontends.size()) {
        service = std::make_shared<ServicePortState>(std::move(without));
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
