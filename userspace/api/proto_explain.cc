// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/proto_explain.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "userspace/api/proto_state.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

// With the frontends and the problems it stays below the 4 MiB that clients accept.
constexpr size_t kMostEndpoints = 1000;
constexpr size_t kEndpointBytes = 2 << 20;

using Response = v1::ExplainServiceResponse;

}  // namespace

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

namespace {

// The first ones, as far as `bytes_left` reaches.
void AddEndpoints(const PortReason& reason, size_t& bytes_left, Response::PortReason& proto) {
  const size_t shown = std::min(reason.endpoints.size(), kMostEndpoints);
  proto.set_endpoint_count(reason.endpoints.size());
  for (const EndpointReason& endpoint : absl::MakeConstSpan(reason.endpoints).first(shown)) {
    Response::EndpointReason added = ToProto(endpoint);
    const size_t bytes = added.ByteSizeLong();
    if (bytes > bytes_left) return;
    bytes_left -= bytes;
    *proto.add_endpoints() = std::move(added);
  }
}

Response::PortReason ToProto(const PortReason& reason, size_t& bytes_left) {
  Response::PortReason proto;
  *proto.mutable_name() = shunt::ToProto(reason.name);
  proto.set_family(std::string(FamilyName(reason.family)));
  proto.set_topology(std::string(TopologyText(reason.topology)));
  for (const FrontendReason& frontend : reason.frontends) {
    Response::FrontendReason* added = proto.add_frontends();
    *added->mutable_frontend() = shunt::ToProto(frontend.frontend);
    added->set_owner(ToUtf8(frontend.owner));
    added->set_choices(frontend.choices);
  }
  AddEndpoints(reason, bytes_left, proto);
  proto.set_slice_count(reason.slices);
  for (const std::string& slice : reason.slices_without_port) {
    proto.add_slices_without_port(ToUtf8(slice));
  }
  for (const Cidr& range : reason.sources) proto.add_sources(range.ToString());
  proto.set_affinity_timeout_seconds(reason.affinity_timeout_s);
  proto.set_ends_tcp(reason.ends_tcp);
  return proto;
}

}  // namespace

v1::ExplainServiceResponse ToProto(const ServiceReason& reason) {
  Response proto;
  proto.set_not_served(reason.not_served);
  size_t bytes_left = kEndpointBytes;
  for (const PortReason& port : reason.ports) *proto.add_ports() = ToProto(port, bytes_left);
  return proto;
}

}  // namespace shunt
