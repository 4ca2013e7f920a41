// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_PLANNER_EXPLAIN_H_
#define SHUNT_PLANNER_EXPLAIN_H_

#include <string>
#include <vector>

#include "userspace/model/cluster.h"
#include "userspace/planner/endpoint_selection.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// Why a Service is served as it is: what PlanService() and SelectEndpoints()
// decided, asked again and put into words. It decides nothing itself, so it
// cannot say anything else than what is done.

// A frontend that the Service asks for.
struct FrontendReason {
  Frontend frontend;
  std::string owner;   // "shop/other" where another Service has it; "" where this one does
  size_t choices = 0;  // how many endpoints it chooses from, each with the same chance
};

// An endpoint of one of the Service's slices, at one port.
struct EndpointReason {
  IpAddress address;
  uint16_t port = 0;  // host byte order
  std::string node, slice;
  std::string hints;  // "zone zone-a, node node-b"; "" for none
  Fate cluster = Fate::kListUnused, local = Fate::kListUnused;
};

// One service port in one family.
struct PortReason {
  ServicePortName name;
  Family family = Family::kIpv4;
  Topology topology = Topology::kNone;
  std::vector<FrontendReason> frontends;  // of this family; without the other ports
  std::vector<EndpointReason> endpoints;  // by address and port
  size_t slices = 0;                      // of this family
  // Slices of this family that have endpoints, but none at this port.
  std::vector<std::string> slices_without_port;
  std::vector<Cidr> sources;  // who may dial the frontends that check the source
  uint32_t affinity_timeout_s = 0;
  bool ends_tcp = false;
};

struct ServiceReason {
  std::string not_served;  // why nothing of it is; "" where something is
  std::vector<PortReason> ports;
  Problems problems;  // of the plan
};

// `state`: what is served, to tell who has what the Service does not. Pure.
ServiceReason ExplainService(const ServiceInput& input, const NodeContext& node,
                             const DatapathState& state);

// "hints keep traffic in this zone": what the hints of all endpoints do.
std::string_view TopologyText(Topology topology);

}  // namespace shunt

#endif  // SHUNT_PLANNER_EXPLAIN_H_
