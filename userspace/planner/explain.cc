// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/explain.h"

#include <algorithm>
#include <memory>
#include <tuple>

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

// What became of an endpoint's place in a list: a list that no frontend chooses
// from is emptied again, and one that is too long is cut.
Fate FateIn(BackendList list, Fate selected, const Backend* backend,
            const ServicePortState& planned, Family family) {
  if (!IsSelected(selected) || (backend != nullptr && backend->In(list))) return selected;
  const bool used = std::any_of(
      planned.frontends.begin(), planned.frontends.end(), [&](const Frontend& frontend) {
        return frontend.kind != SHUNT_OTHER_PORTS && frontend.list == list &&
               frontend.key.address.family() == family;
      });
  return used ? Fate::kNoRoom : Fate::kListUnused;
}

const Backend* BackendOf(const Candidate& candidate, const ServicePortState& planned) {
  const auto found = std::lower_bound(planned.backends.begin(), planned.backends.end(), candidate,
                                      [](const Backend& backend, const Candidate& c) {
                                        return std::tie(backend.address, backend.port) <
                                               std::tie(c.endpoint->address, c.port);
                                      });
  const bool same = found != planned.backends.end() &&
                    found->address == candidate.endpoint->address && found->port == candidate.port;
  return same ? &*found : nullptr;
}

EndpointReason ReasonOf(const Candidate& candidate, const ServicePortState& planned,
                        Family family) {
  const Backend* backend = BackendOf(candidate, planned);
  return {.address = candidate.endpoint->address,
          .port = candidate.port,
          .node = candidate.endpoint->node_name,
          .slice = candidate.slice->meta.name.name,
          .hints = HintsText(*candidate.endpoint),
          .cluster = FateIn(BackendList::kCluster, candidate.cluster, backend, planned, family),
          .local = FateIn(BackendList::kLocal, candidate.local, backend, planned, family)};
}

// Which slices brought nothing to this port, though they have something.
void AddSlices(const ServiceInput& input, const EndpointSelection& selection, PortReason& reason) {
  for (const auto& slice : input.slices) {
    if (slice->family != reason.family) continue;
    ++reason.slices;
    const bool joined =
        std::any_of(selection.candidates.begin(), selection.candidates.end(),
                    [&](const Candidate& candidate) { return candidate.slice == slice.get(); });
    if (!joined && !slice->endpoints.empty()) {
      reason.slices_without_port.push_back(slice->meta.name.name);
    }
  }
}

// The port of the Service that was planned under this name: the first.
const ServicePort& PortOf(const Service& service, const ServicePortName& name) {
  return *std::find_if(service.ports.begin(), service.ports.end(), [&](const ServicePort& port) {
    return port.name == name.port && port.protocol == name.protocol;
  });
}

PortReason ExplainPort(const ServiceInput& input, const NodeContext& node,
                       const ServicePortName& name, const ServicePortState& planned,
                       Family family) {
  const ServicePort& port = PortOf(*input.service, name);
  const EndpointSelection selection = SelectEndpoints(
      input.slices, {.name = port.name, .protocol = port.protocol, .family = family},
      ListsUsedBy(*input.service, port), node);
  PortReason reason{.name = name,
                    .family = family,
                    .topology = selection.topology,
                    .sources = planned.sources,
                    .affinity_timeout_s = planned.affinity_timeout_s,
                    .ends_tcp = planned.ends_tcp};
  for (const Candidate& candidate : selection.candidates) {
    reason.endpoints.push_back(ReasonOf(candidate, planned, family));
  }
  AddSlices(input, selection, reason);
  return reason;
}

void AddFrontends(const ServicePortState& planned, const NamespacedName& service,
                  const DatapathState& state, PortReason& reason) {
  for (const Frontend& frontend : planned.frontends) {
    if (frontend.kind == SHUNT_OTHER_PORTS || frontend.key.address.family() != reason.family) {
      continue;
    }
    reason.frontends.push_back({.frontend = frontend,
                                .owner = OwnerOf(ClaimKeyOf(frontend.key), service, state),
                                .choices = planned.ListOf(frontend).size()});
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
      PortReason port = ExplainPort(input, node, name, *planned, family);
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
