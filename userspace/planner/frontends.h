// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_PLANNER_FRONTENDS_H_
#define SHUNT_PLANNER_FRONTENDS_H_

#include <vector>

#include "userspace/model/service.h"
#include "userspace/planner/endpoint_selection.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// What clients may dial to reach a Service. Pure functions, from any thread.

// Everything that one port of a Service asks for, as if nobody else was there:
// its ClusterIPs, load-balancer IPs, external IPs and node ports, in the families
// in which the Service has a ClusterIP, in order of their rights. An address that
// the Service names twice is there once, as what has more right.
//
// An empty list has the verdict NO_ENDPOINT here, whatever its policy: that other
// nodes have endpoints is not known yet.
std::vector<Frontend> FrontendsOf(const Service& service, const ServicePort& port,
                                  const NodeContext& node);

// All ports that the Service's ClusterIPs do not have.
std::vector<Frontend> OtherPortsOf(const Service& service);

// Who may dial the frontends that check the source: what the Service says and,
// where that holds an address of the node, its own load-balancer IPs, under which
// the node may be seen. Sorted, without duplicates.
std::vector<Cidr> SourcesOf(const Service& service, const NodeContext& node);

// Takes backends out of lists that no frontend chooses from: nobody could see in
// the maps that they were there.
void EmptyUnusedLists(ServicePortState& state);

// Of both scopes of a frontend, one owner has both: this key stands for them.
FrontendKey ClaimKeyOf(const FrontendKey& key);

}  // namespace shunt

#endif  // SHUNT_PLANNER_FRONTENDS_H_
