// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/proto_explain.h"

#include <algorithm>
#include <string>

#include "userspace/api/proto_state.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

constexpr size_t kMostEndpoints = 1000;

using Response = v1::ExplainServiceResponse;

Response::EndpointReason ToProto(const EndpointReason& reason) {
  Response::EndpointReason proto;
  proto.set_address(reason.address.ToString());
  proto.set_port(reason.port);
  proto.set_node(ToUtf8(reason.node));
  proto.set_slice(ToUtf8(reason.slice));
  proto.set_hints(ToUtf8(reason.hints));
  proto.set_in_cluster_list(IsSelected(reason.cluster));
  proto.set_in_local_list(IsSelected(reason.local));
  proto.set_cluster_fate(std::string(FateText(reason.cluster)));
  proto.set_local_fate(std::string(FateText(reason.local)));
  return proto;
}

Response::PortReason ToProto(const PortReason& reason) {
  Response::PortReason proto;
  *proto.mutable_name() = shunt::ToProto(reason.name);
  proto.set_family(std::string(FamilyName(reason.family)));
  proto.set_topology(std::string(TopologyText(reason.topology)));
  for (const FrontendReason& frontend : reason.frontends) {
    Response::FrontendReason* added = proto.add_frontends();
    *added->mutable_frontend() = shunt::ToProto(frontend.frontend);
    added->set_owner(ToUtf8(frontend.owner));
  }
  proto.set_endpoint_count(reason.endpoints.size());
  const size_t shown = std::min(reason.endpoints.size(), kMostEndpoints);
  for (size_t i = 0; i < shown; ++i) *proto.add_endpoints() = ToProto(reason.endpoints[i]);
  return proto;
}

}  // namespace

v1::ExplainServiceResponse ToProto(const ServiceReason& reason) {
  Response proto;
  proto.set_not_served(reason.not_served);
  for (const PortReason& port : reason.ports) *proto.add_ports() = ToProto(port);
  for (const Problem& problem : reason.problems) *proto.add_problems() = shunt::ToProto(problem);
  return proto;
}

}  // namespace shunt
