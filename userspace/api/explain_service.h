// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_EXPLAIN_SERVICE_H_
#define SHUNT_API_EXPLAIN_SERVICE_H_

#include "shunt/v1/shunt.pb.h"
#include "userspace/api/agent_view.h"

namespace shunt {

// What ExplainService answers for a Service that exists: what the planner says of
// it, with what could not be read of it and of its slices, and what of it is not
// in the kernel yet. Pure.
v1::ExplainServiceResponse ExplainServiceResponse(const AgentView& view, const ServiceInput& input);

}  // namespace shunt

#endif  // SHUNT_API_EXPLAIN_SERVICE_H_
