// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_PROTO_FLOWS_H_
#define SHUNT_API_PROTO_FLOWS_H_

#include "absl/status/statusor.h"
#include "shunt/v1/shunt.pb.h"
#include "userspace/api/flow_filter.h"
#include "userspace/datapath/flows.h"

namespace shunt {

// As in proto_state.h: InvalidArgument where the message holds no address, or
// what this version does not know.
v1::Flow ToProto(const PacketFlow& flow);
absl::StatusOr<PacketFlow> FromProto(const v1::Flow& proto);

v1::ListFlowsRequest ToProto(const FlowFilter& filter);
absl::StatusOr<FlowFilter> FromProto(const v1::ListFlowsRequest& request);

// "10.0.0.0/8", or an address, which is then the only one.
absl::StatusOr<Cidr> ParseAddresses(const std::string& text);

}  // namespace shunt

#endif  // SHUNT_API_PROTO_FLOWS_H_
