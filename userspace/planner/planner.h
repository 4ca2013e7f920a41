// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_PLANNER_PLANNER_H_
#define SHUNT_PLANNER_PLANNER_H_

#include <compare>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "userspace/model/cluster.h"
#include "userspace/planner/plan_service.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// Keeps the desired state of the datapath for a cluster that changes: plans
// the Services that changed, decides who owns a frontend that two of them
// want, and says which service ports became different. The cost of an update
// follows what changed, not what exists.
//
// Deterministic: after any sequence of updates state() equals Plan() of the
// cluster as it is then. Belongs to the control thread.
class Planner {
 public:
  explicit Planner(std::string node_name);

  StateChanges Update(const ClusterChanges& changes);

  const DatapathState& state() const { return state_; }
  Problems problems() const;  // of all Services, sorted
  ...
};

// From scratch. Pure.
DatapathState Plan(const ClusterSnapshot& snapshot, const std::string& node_name);

}  // namespace shunt

#endif  // SHUNT_PLANNER_PLANNER_H_
