// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_PLANNER_PLAN_SERVICE_H_
#define SHUNT_PLANNER_PLAN_SERVICE_H_

#include <string_view>

#include "userspace/model/cluster.h"
#include "userspace/planner/endpoint_selection.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// What one Service wants of the datapath, as if it was alone in the cluster.
struct ServicePlan {
  DatapathState ports;  // each with at least one frontend
  Problems problems;
};

// Why a Service has no virtual IP of ours; "" where it has. Pure.
std::string_view WhyNotProxied(const Service& service);

// Plans one Service: its frontends, and behind each the backends of its family.
// Nothing where there is no Service, or where it has no virtual IP of ours:
// headless, ExternalName, not yet allocated, somebody else's by label, excluded
// by annotation.
//
// A backend that takes no new connections but serves stays, in no list: UDP
// flows that it has go on. Pure; from any thread.
ServicePlan PlanService(const ServiceInput& input, const NodeContext& node);

}  // namespace shunt

#endif  // SHUNT_PLANNER_PLAN_SERVICE_H_
