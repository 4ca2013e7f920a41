// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_PLANNER_PLANNER_H_
#define SHUNT_PLANNER_PLANNER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "userspace/model/cluster.h"
#include "userspace/planner/frontend_claims.h"
#include "userspace/planner/plan_service.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// Keeps the desired state of the datapath for a cluster that changes: plans
// the Services that changed, decides who owns a frontend that two of them
// want, and says which service ports became different. The cost of an update
// follows what changed, not what exists; only where the node is not what it was
// (zone, addresses) everything is planned anew.
//
// Deterministic: after any sequence of updates state() equals Plan() of the
// cluster as it is then. Belongs to the control thread.
class Planner {
 public:
  // `node_name` is made lower case, as kube-proxy does with its hostname.
  explicit Planner(const std::string& node_name);
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  // Where node ports are served from the next update on.
  void SetNodePortAddresses(std::vector<IpAddress> addresses);

  // The first update has to be the whole cluster: its result is complete.
  StateChanges Update(const ClusterChanges& changes);

  // All that there is, as a change that is complete.
  StateChanges Everything() const;

  // A service port that did not change keeps its object.
  const DatapathState& state() const { return state_; }
  Problems problems() const;  // of all Services, sorted
  size_t problem_count() const;
  const NodeContext& node() const { return node_; }

 private:
  // A Service that exists.
  struct Record {
    ServiceInput input;
    Claimant claimant;  // claims_ points to it
    ServicePlan plan;   // as if it was alone
  };

  // What an update has to look at again.
  struct Work {
    absl::btree_set<NamespacedName> services;    // to compare with state_
    absl::flat_hash_set<FrontendKey> frontends;  // that have another owner (ClaimKeyOf)
  };

  bool TakeNode(const ClusterChanges& changes);
  void TakeInput(const NamespacedName& name, const ServiceInput& input, Work& work);
  void Remove(const NamespacedName& name, Work& work);
  void Replan(Record& record, Work& work);
  void Claim(const Record& record, Work& work);
  void Withdraw(const Record& record, Work& work);
  void AddRivals(Work& work) const;

  void Settle(const NamespacedName& name, StateChanges& changes);
  DatapathState OwnedPortsOf(const NamespacedName& name, Problems& problems) const;
  ServicePortStatePtr OwnedPart(const ServicePortStatePtr& planned, const Record& record,
                                Problems& problems) const;
  void ReplacePorts(const NamespacedName& name, const DatapathState& ports, StateChanges& changes);

  NodeContext node_;
  bool node_port_addresses_changed_ = false;
  bool has_updated_ = false;
  absl::btree_map<NamespacedName, std::unique_ptr<Record>> records_;
  FrontendClaims claims_;
  DatapathState state_;
  absl::btree_map<NamespacedName, Problems> problems_;  // of Services that have some
};

// From scratch. Pure.
DatapathState Plan(const ClusterSnapshot& snapshot, const std::string& node_name,
                   std::vector<IpAddress> node_port_addresses = {});

}  // namespace shunt

#endif  // SHUNT_PLANNER_PLANNER_H_
