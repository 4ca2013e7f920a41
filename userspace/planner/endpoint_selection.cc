// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/endpoint_selection.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace shunt {
namespace {

using Candidates = std::vector<Candidate>;

// --- Merging the slices

bool IsOnNode(const Endpoint& endpoint, const NodeContext& node) {
  return !endpoint.node_name.empty() && endpoint.node_name == node.name;
}

void AppendSlice(const EndpointSlice& slice, uint16_t port, const NodeContext& node,
                 Candidates& candidates) {
  for (const Endpoint& endpoint : slice.endpoints) {
    candidates.push_back({.slice = &slice,
                          .endpoint = &endpoint,
                          .port = port,
                          .is_local = IsOnNode(endpoint, node)});
  }
}

Candidates CollectCandidates(absl::Span<const std::shared_ptr<const EndpointSlice>> slices,
                             const PortSelector& selector, const NodeContext& node) {
  size_t endpoints = 0;
  for (const auto& slice : slices) {
    endpoints += slice->endpoints.size();
  }
  Candidates candidates;
  candidates.reserve(endpoints);
  for (const auto& slice : slices) {
    if (slice->family != selector.family) {
      continue;
    }
    for (const EndpointPort& port : slice->ports) {
      if (port.name == selector.name && port.protocol == selector.protocol && port.port != 0) {
        AppendSlice(*slice, port.port, node, candidates);
      }
    }
  }
  return candidates;
}

auto AddressAndPortOf(const Candidate& candidate) {
  return std::tie(candidate.endpoint->address, candidate.port);
}

// Of two with the same address and port the smaller one counts. Kubernetes
// only says that one which is not terminating beats one that is; for the rest
// the better one is taken, so that a stale copy in another slice costs nothing,
// and at last the first by name of slice.
bool CountsBefore(const Candidate& a, const Candidate& b) {
  const auto rank = [](const Candidate& candidate) {
    const Endpoint& endpoint = *candidate.endpoint;
    return std::make_tuple(endpoint.terminating, !endpoint.ready, !endpoint.serving,
                           !candidate.is_local);
  };
  return std::make_tuple(rank(a), std::cref(a.slice->meta.name), a.endpoint) <
         std::make_tuple(rank(b), std::cref(b.slice->meta.name), b.endpoint);
}

void SortCandidates(Candidates& candidates) {
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return AddressAndPortOf(a) == AddressAndPortOf(b) ? CountsBefore(a, b)
                                                      : AddressAndPortOf(a) < AddressAndPortOf(b);
  });
}

void RuleOut(Candidate& candidate, Fate fate) {
  candidate.cluster = fate;
  candidate.local = fate;
}

void RuleOutInvalid(Candidates& candidates, Family family) {
  const Candidate* previous = nullptr;
  for (Candidate& candidate : candidates) {
    if (candidate.endpoint->address.family() != family) {
      RuleOut(candidate, Fate::kWrongFamily);
    } else if (previous != nullptr && AddressAndPortOf(*previous) == AddressAndPortOf(candidate)) {
      RuleOut(candidate, Fate::kDuplicate);
    }
    previous = &candidate;
  }
}

// --- Topology

bool HasHint(const Endpoint& endpoint, EndpointHint::Kind kind) {
  return std::any_of(endpoint.hints.begin(), endpoint.hints.end(),
                     [kind](const EndpointHint& hint) { return hint.kind == kind; });
}

// Whether the hints of this kind name us, where it is known who we are.
bool IsHintedTo(const Endpoint& endpoint, EndpointHint::Kind kind, const std::string& name) {
  return !name.empty() &&
         std::any_of(endpoint.hints.begin(), endpoint.hints.end(), [&](const EndpointHint& hint) {
           return hint.kind == kind && hint.name == name;
         });
}

bool IsForNode(const Endpoint& endpoint, const NodeContext& node) {
  return IsHintedTo(endpoint, EndpointHint::Kind::kNode, node.name);
}

bool IsForZone(const Endpoint& endpoint, const NodeContext& node) {
  return IsHintedTo(endpoint, EndpointHint::Kind::kZone, node.zone);
}

// A kind of hint counts if every ready endpoint has one and one of them is for
// us: hints that are incomplete are being written, and hints that leave us
// without any endpoint are wrong.
Topology TopologyOf(const Candidates& candidates, const NodeContext& node) {
  bool all_have_node = true, all_have_zone = true, any_for_node = false, any_for_zone = false;
  for (const Candidate& candidate : candidates) {
    const Endpoint& endpoint = *candidate.endpoint;
    if (!candidate.IsDistinct() || !endpoint.ready) {
      continue;
    }
    all_have_node &= HasHint(endpoint, EndpointHint::Kind::kNode);
    all_have_zone &= HasHint(endpoint, EndpointHint::Kind::kZone);
    any_for_node |= IsForNode(endpoint, node);
    any_for_zone |= IsForZone(endpoint, node);
  }
  if (all_have_node && any_for_node) {
    return Topology::kSameNode;
  }
  return all_have_zone && any_for_zone ? Topology::kSameZone : Topology::kNone;
}

// --- The lists

bool CanFallBackTo(const Endpoint& endpoint) { return endpoint.serving && endpoint.terminating; }

// The fate in the cluster list while somebody is ready.
Fate ClusterFate(const Candidate& candidate, Topology topology, const NodeContext& node) {
  const Endpoint& endpoint = *candidate.endpoint;
  if (!endpoint.ready) {
    return CanFallBackTo(endpoint) ? Fate::kTerminating : Fate::kNotReady;
  }
  if (topology == Topology::kSameNode && !IsForNode(endpoint, node)) {
    return Fate::kOtherNode;
  }
  if (topology == Topology::kSameZone && !IsForZone(endpoint, node)) {
    return Fate::kOtherZone;
  }
  return Fate::kSelected;
}

// The fate in the local list while somebody local is ready. Hints mean nothing.
Fate LocalFate(const Candidate& candidate) {
  if (!candidate.is_local) {
    return Fate::kRemote;
  }
  if (!candidate.endpoint->ready) {
    return CanFallBackTo(*candidate.endpoint) ? Fate::kTerminating : Fate::kNotReady;
  }
  return Fate::kSelected;
}

// A list in which nobody is ready takes those that are terminating and serve.
void FallBackIfEmpty(Candidates& candidates, Fate Candidate::* list) {
  const bool has_selected =
      std::any_of(candidates.begin(), candidates.end(),
                  [&](const Candidate& candidate) { return IsSelected(candidate.*list); });
  if (has_selected) {
    return;
  }
  for (Candidate& candidate : candidates) {
    if (candidate.*list == Fate::kTerminating) {
      candidate.*list = Fate::kSelectedTerminating;
    }
  }
}

void FillClusterList(EndpointSelection& selection, const NodeContext& node) {
  selection.topology = TopologyOf(selection.candidates, node);
  for (Candidate& candidate : selection.candidates) {
    if (candidate.IsDistinct()) {
      candidate.cluster = ClusterFate(candidate, selection.topology, node);
    }
  }
  FallBackIfEmpty(selection.candidates, &Candidate::cluster);
}

void FillLocalList(Candidates& candidates) {
  for (Candidate& candidate : candidates) {
    if (candidate.IsDistinct()) {
      candidate.local = LocalFate(candidate);
    }
  }
  FallBackIfEmpty(candidates, &Candidate::local);
}

bool AnyUsable(const Candidates& candidates) {
  return std::any_of(candidates.begin(), candidates.end(), [](const Candidate& candidate) {
    return candidate.IsDistinct() &&
           (candidate.endpoint->ready || CanFallBackTo(*candidate.endpoint));
  });
}

bool IsExternallyAccessible(const Service& service, const ServicePort& port) {
  return port.node_port != 0 || !service.external_ips.empty() || !service.load_balancer_ips.empty();
}

}  // namespace

// An externalTrafficPolicy that is left over on a Service of type ClusterIP
// means nothing, unless there are externalIPs.
bool IsExternalPolicyLocal(const Service& service) {
  return service.external_policy == TrafficPolicy::kLocal &&
         (service.type == ServiceType::kNodePort || service.type == ServiceType::kLoadBalancer ||
          !service.external_ips.empty());
}

ListUse ListsUsedBy(const Service& service, const ServicePort& port) {
  const bool external = IsExternallyAccessible(service, port);
  const bool internal_local = service.internal_policy == TrafficPolicy::kLocal;
  return {.cluster = !internal_local || external,
          .local = internal_local || (external && IsExternalPolicyLocal(service))};
}

std::string_view FateText(Fate fate) {
  switch (fate) {
    case Fate::kSelected:
      return "selected";
    case Fate::kSelectedTerminating:
      return "selected though terminating: none is ready";
    case Fate::kListUnused:
      return "no traffic policy asks for it";
    case Fate::kNotReady:
      return "not ready";
    case Fate::kTerminating:
      return "terminating while others are ready";
    case Fate::kOtherNode:
      return "hinted to other nodes";
    case Fate::kOtherZone:
      return "hinted to other zones";
    case Fate::kRemote:
      return "on another node";
    case Fate::kDuplicate:
      return "duplicate of another endpoint";
    case Fate::kWrongFamily:
      return "address of another family than its slice";
    case Fate::kNoRoom:
      return "more endpoints than the maps hold";
  }
  return "";
}

EndpointSelection SelectEndpoints(absl::Span<const std::shared_ptr<const EndpointSlice>> slices,
                                  const PortSelector& port, const ListUse& use,
                                  const NodeContext& node) {
  EndpointSelection selection{.candidates = CollectCandidates(slices, port, node)};
  SortCandidates(selection.candidates);
  RuleOutInvalid(selection.candidates, port.family);
  selection.any_usable = AnyUsable(selection.candidates);
  if (use.cluster) {
    FillClusterList(selection, node);
  }
  if (use.local) {
    FillLocalList(selection.candidates);
  }
  return selection;
}

}  // namespace shunt
