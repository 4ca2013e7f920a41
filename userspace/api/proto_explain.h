// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_PROTO_EXPLAIN_H_
#define SHUNT_API_PROTO_EXPLAIN_H_

#include "shunt/v1/shunt.pb.h"
#include "userspace/planner/explain.h"

namespace shunt {

v1::ExplainServiceResponse::EndpointReason ToProto(const EndpointReason& reason);

// Of a Service with very many endpoints it says the first thousand of each port:
// nobody reads more. Without problems: those are not of the plan alone. Pure.
v1::ExplainServiceResponse ToProto(const ServiceReason& reason);

}  // namespace shunt

#endif  // SHUNT_API_PROTO_EXPLAIN_H_
