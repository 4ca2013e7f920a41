// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_PLANNER_SELECTING_H_
#define SHUNT_TESTS_UNIT_PLANNER_SELECTING_H_

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/planner/cluster_builder.h"
#include "userspace/planner/endpoint_selection.h"

namespace shunt {

// Short words for endpoint selection in tests.

inline const NodeContext kNode{.name = "node-a", .zone = "zone-a"};
inline constexpr ListUse kClusterList{.cluster = true, .local = false};
inline constexpr ListUse kLocalList{.cluster = false, .local = true};
inline constexpr ListUse kBothLists{.cluster = true, .local = true};

// A selection with the slices that it points into.
struct Selected : EndpointSelection {
  Slices slices;
};

inline Selected SelectAt(const PortSelector& port, Slices slices, const ListUse& use = kClusterList,
                         const NodeContext& node = kNode) {
  return {SelectEndpoints(slices, port, use, node), std::move(slices)};
}

inline Selected Select(Slices slices, const ListUse& use = kClusterList,
                       const NodeContext& node = kNode) {
  return SelectAt({}, std::move(slices), use, node);
}

// "10.0.0.1:8080" of those in a list, in their order.
inline std::vector<std::string> ListOf(const EndpointSelection& selection, Fate Candidate::* list) {
  std::vector<std::string> addresses;
  for (const Candidate& candidate : selection.candidates) {
    if (IsSelected(candidate.*list)) {
      addresses.push_back(AddressAndPort(candidate.endpoint->address, candidate.port));
    }
  }
  return addresses;
}

inline std::vector<std::string> ClusterList(const EndpointSelection& selection) {
  return ListOf(selection, &Candidate::cluster);
}

inline std::vector<std::string> LocalList(const EndpointSelection& selection) {
  return ListOf(selection, &Candidate::local);
}

// What became of each candidate, in their order.
inline std::vector<Fate> ClusterFates(const EndpointSelection& selection) {
  std::vector<Fate> fates;
  for (const Candidate& candidate : selection.candidates) {
    fates.push_back(candidate.cluster);
  }
  return fates;
}

inline std::vector<Fate> LocalFates(const EndpointSelection& selection) {
  std::vector<Fate> fates;
  for (const Candidate& candidate : selection.candidates) {
    fates.push_back(candidate.local);
  }
  return fates;
}

inline void PrintTo(Fate fate, std::ostream* out) { *out << '"' << FateText(fate) << '"'; }

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_PLANNER_SELECTING_H_
