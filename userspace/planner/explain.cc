// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/explain.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "userspace/planner/frontends.h"
#include "userspace/planner/plan_service.h"

namespace shunt {
namespace {

std::string OwnerOf(const FrontendKey& key, const NamespacedName& self,
                    const DatapathState& state) {
  for (const auto& [name, port] : state) {
    const bool has = std::any_of(port->frontends.begin(), port->frontends.end(),
                                 [&](const Frontend& frontend) { return frontend.key == key; });
    if (has && (name.name_space != self.name_space || name.name != self.name)) {
      return absl::StrCat(name.name_space, "/", name.name);
    }
  }
  return "";
}

std::string HintsText(const Endpoint& endpoint) {
  std::string text;
  for (const EndpointHint& hint : endpoint.hints) {
    absl::StrAppend(&text, text.empty() ? "" : ", ",
                    hint.kind == EndpointHint::Kind::kZone ? "zone " : "node ", hint.name);
  }
  return text;
}

EndpointReason ReasonOf(const Candidate& candidate) {
  return {.address = candidate.endpoint->address,
          .port = candidate.port,
          .node = candidate.endpoint->node_name,
          .slice = candidate.slice->meta.name.name,
          .hints = HintsText(*candidate.endpoint),
          .cluster = candidate.cluster,
          .local = candidate.local};
}

// The port of the Service that was planned under this name: the first.
const ServicePort& PortOf(const Service& service, const ServicePortName& name) {
  return *std::find_if(service.ports.begin(), service.ports.end(), [&](const ServicePort& port) {
    return port.name == name.port && port.protocol == name.protocol;
  });
}

PortReason ExplainPort(const ServiceInput& input, const NodeContext& node,
                       const ServicePortName& name, Family family) {
  const ServicePort& port = PortOf(*input.service, name);
  const EndpointSelection selection = SelectEndpoints(
      input.slices, {.name = port.name, .protocol = port.protocol, .family = family},
      ListsUsedBy(*input.service, port), node);
  PortReason reason{.name = name, .family = family, .topology = selection.topology};
  for (const Candidate& candidate : selection.candidates) {
    reason.endpoints.push_back(ReasonOf(candidate));
  }
  return reason;
}

void AddFrontends(const ServicePortState& planned, const NamespacedName& service,
                  const DatapathState& state, PortReason& reason) {
  for (const Frontend& frontend : planned.frontends) {
    if (frontend.kind == SHUNT_OTHER_PORTS || frontend.key.address.family() != reason.family) {
      continue;
    }
    reason.frontends.push_back(
        {.frontend = frontend, .owner = OwnerOf(ClaimKeyOf(frontend.key), service, state)});
  }
}

}  // namespace

ServiceReason ExplainService(const ServiceInput& input, const NodeContext& node,
                             const DatapathState& state) {
  ServiceReason reason;
  if (input.service == nullptr) {
    reason.not_served = "there is no such Service";
    return reason;
  }
  reason.not_served = std::string(WhyNotProxied(*input.service));
  if (!reason.not_served.empty()) return reason;
  const ServicePlan plan = PlanService(input, node);
  reason.problems = plan.problems;
  if (plan.ports.empty()) reason.not_served = "it has no port that could be served";
  for (const auto& [name, planned] : plan.ports) {
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      PortReason port = ExplainPort(input, node, name, family);
      AddFrontends(*planned, input.service->meta.name, state, port);
      if (!port.frontends.empty()) reason.ports.push_back(std::move(port));
    }
  }
  return reason;
}

std::string_view TopologyText(Topology topology) {
  switch (topology) {
    case Topology::kNone:
      return "hints mean nothing";
    case Topology::kSameZone:
      return "hints keep traffic in this zone";
    case Topology::kSameNode:
      return "hints keep traffic on this node";
  }
  return "";
}

}  // namespace shunt
