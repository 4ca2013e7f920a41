// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/proto_flows.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "userspace/api/proto_sockets.h"
#include "userspace/api/proto_state.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

v1::FlowState ToProto(FlowState state) {
  return static_cast<v1::FlowState>(static_cast<int>(state) + 1);
}

absl::StatusOr<FlowState> FromProto(v1::FlowState state) {
  if (state == v1::FLOW_STATE_UNSPECIFIED || !v1::FlowState_IsValid(state)) {
    return absl::InvalidArgumentError(absl::StrCat("unknown state of a flow: ", state));
  }
  return static_cast<FlowState>(state - 1);
}

static_assert(v1::FlowState_MAX == static_cast<int>(FlowState::kStale) + 1,
              "FlowState and values.proto have the same states in the same order");

}  // namespace

v1::Flow ToProto(const PacketFlow& flow) {
  v1::Flow proto;
  *proto.mutable_service() = ToProto(flow.service);
  *proto.mutable_client() = ToProto(flow.client);
  *proto.mutable_dialled() = ToProto(flow.dialled);
  *proto.mutable_backend() = ToProto(flow.backend);
  if (flow.seen_as.has_value()) *proto.mutable_seen_as() = ToProto(*flow.seen_as);
  proto.set_state(ToProto(flow.state));
  proto.set_idle_seconds(flow.idle_s);
  proto.set_expires_in_seconds(flow.expires_s);
  return proto;
}

absl::StatusOr<PacketFlow> FromProto(const v1::Flow& proto) {
  PacketFlow flow = {.idle_s = proto.idle_seconds(), .expires_s = proto.expires_in_seconds()};
  SHUNT_ASSIGN_OR_RETURN(flow.service, FromProto(proto.service()));
  SHUNT_ASSIGN_OR_RETURN(flow.client, FromProto(proto.client()));
  SHUNT_ASSIGN_OR_RETURN(flow.dialled, FromProto(proto.dialled()));
  SHUNT_ASSIGN_OR_RETURN(flow.backend, FromProto(proto.backend()));
  if (proto.has_seen_as()) {
    SHUNT_ASSIGN_OR_RETURN(flow.seen_as, FromProto(proto.seen_as()));
  }
  SHUNT_ASSIGN_OR_RETURN(flow.state, FromProto(proto.state()));
  return flow;
}

v1::ListFlowsRequest ToProto(const FlowFilter& filter) {
  v1::ListFlowsRequest request;
  request.mutable_filter()->set_namespace_(filter.service.name_space);
  request.mutable_filter()->set_name(filter.service.name);
  if (filter.address) request.set_address(filter.address->ToString());
  if (filter.protocol) request.set_protocol(ToProto(*filter.protocol));
  if (filter.state) request.set_state(ToProto(*filter.state));
  return request;
}

absl::StatusOr<FlowFilter> FromProto(const v1::ListFlowsRequest& request) {
  FlowFilter filter = {
      .service = {.name_space = request.filter().namespace_(), .name = request.filter().name()}};
  if (!request.address().empty()) {
    SHUNT_ASSIGN_OR_RETURN(filter.address, ParseAddresses(request.address()));
  }
  if (request.protocol() != v1::PROTOCOL_UNSPECIFIED) {
    SHUNT_ASSIGN_OR_RETURN(filter.protocol, FromProto(request.protocol()));
  }
  if (request.state() != v1::FLOW_STATE_UNSPECIFIED) {
    SHUNT_ASSIGN_OR_RETURN(filter.state, FromProto(request.state()));
  }
  return filter;
}

absl::StatusOr<Cidr> ParseAddresses(const std::string& text) {
  if (text.find('/') != std::string::npos) return Cidr::Parse(text);
  SHUNT_ASSIGN_OR_RETURN(const IpAddress address, IpAddress::Parse(text));
  return Cidr::Of(address);
}

}  // namespace shunt
