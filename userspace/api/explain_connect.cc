// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/explain_connect.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/api/proto_explain.h"
#include "userspace/api/proto_state.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/first_address.h"
#include "userspace/base/netns.h"
#include "userspace/base/status.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

constexpr int kMostEndpoints = 1000;
constexpr int kMostOthers = 20;

using Response = v1::ExplainConnectResponse;

absl::StatusOr<FrontendKey> DialledKey(const v1::ExplainConnectRequest& request) {
  FrontendKey key;
  SHUNT_ASSIGN_OR_RETURN(key.address, IpAddress::Parse(request.address()));
  SHUNT_ASSIGN_OR_RETURN(key.protocol, FromProto(request.protocol()));
  if (request.port() == 0 || request.port() > UINT16_MAX) {
    return absl::InvalidArgumentError(absl::StrCat(request.port(), " is not a port (1 to 65535)"));
  }
  if (key.protocol == SHUNT_ANY_PROTOCOL) {
    return absl::InvalidArgumentError("a connect has one protocol: TCP, UDP or SCTP");
  }
  key.port = static_cast<uint16_t>(request.port());
  return key;
}

// --- Who dials

// Fills in what is known of the host.
v1::Client Completed(v1::Client client, Family family) {
  const uint64_t host = OwnNetnsCookie();
  if (client.netns_cookie() != 0) client.set_is_pod(client.netns_cookie() != host);
  if (client.is_pod()) return client;
  client.set_netns_cookie(host);
  if (client.address().empty()) {
    const std::optional<IpAddress> first = FirstAddress(family);
    if (first.has_value()) client.set_address(first->ToString());
  }
  return client;
}

bool OptedOut(const v1::Client& client, const ConnectFacts& facts) {
  return std::any_of(client.cgroup_ids().begin(), client.cgroup_ids().end(), [&](uint64_t cgroup) {
    return std::binary_search(facts.opt_outs.begin(), facts.opt_outs.end(), cgroup);
  });
}

// Why the client is left alone; "" where it is not.
std::string WhyLeftAlone(const v1::Client& client, const ConnectFacts& facts) {
  if (facts.socket_lb == "off") return "--socket-lb is off: no connection is translated";
  if (facts.socket_lb == "host" && client.is_pod()) {
    return "--socket-lb is host: connections of pods are left alone";
  }
  return OptedOut(client, facts) ? "its cgroup opted out (shuntctl opt-out list)" : "";
}

absl::StatusOr<TraceClient> TraceClientOf(const v1::Client& client, const ConnectFacts& facts) {
  TraceClient result{.in_host_namespace = !client.is_pod(),
                     .left_alone = !WhyLeftAlone(client, facts).empty()};
  if (!client.address().empty()) {
    SHUNT_ASSIGN_OR_RETURN(result.source, IpAddress::Parse(client.address()));
  }
  return result;
}

// What the client had last of this service port, in the family that it dials.
std::optional<LastBackend> LastOf(const v1::Client& client, const ServicePortName& service,
                                  Family family, const ConnectFacts& facts) {
  if (client.netns_cookie() == 0) return std::nullopt;
  for (const AffinityClient& entry : facts.affinity) {
    if (entry.netns_cookie == client.netns_cookie() && entry.service == service &&
        entry.address.family() == family && entry.backend.has_value()) {
      return LastBackend{
          .address = entry.backend->address, .port = entry.backend->port, .idle_s = entry.idle_s};
    }
  }
  return std::nullopt;
}

// --- What is said

std::string EmptyListText(const Trace& trace, const FrontendKey& dialled) {
  switch (trace.verdict) {
    case SHUNT_NO_PORT:
      return absl::StrCat("the ClusterIP ", dialled.address.ToString(), " has no port ",
                          dialled.port, "/", ProtocolText(dialled.protocol));
    case SHUNT_NO_LOCAL_ENDPOINT:
      return "the traffic policy is Local, and all usable endpoints are on other nodes";
    default:
      return "no endpoint is usable";
  }
}

std::string SourceText(const v1::Client& client) {
  return client.address().empty()
             ? "loadBalancerSourceRanges, and the client's address is not known"
             : absl::StrCat("loadBalancerSourceRanges does not name ", client.address());
}

std::string NobodyText(const FrontendKey& dialled, const std::string& backend_of) {
  return backend_of.empty()
             ? absl::StrCat("no Service that is served here has ", dialled.ToString())
             : absl::StrCat(dialled.ToString(), " is a backend of ", backend_of,
                            ", dialled directly");
}

std::string ReasonText(const Trace& trace, const FrontendKey& dialled, const ConnectFacts& facts,
                       const Response& response) {
  switch (trace.step) {
    case TraceStep::kMartian:  // of packets alone
    case TraceStep::kFrontend:
      return NobodyText(dialled, response.backend_of());
    case TraceStep::kProtocol:
      return absl::StrCat("the socket hooks do not see ", ProtocolText(dialled.protocol),
                          ": it is served as packets, with --packets on");
    case TraceStep::kLeftAlone:
      return WhyLeftAlone(response.client(), facts);
    case TraceStep::kHostOnly:
      return "a loopback node port is for the host alone: a pod dials its own loopback";
    case TraceStep::kSource:
      return SourceText(response.client());
    case TraceStep::kList:
      return ListText(trace, dialled);
  }
  return "";
}

// The name of a service port that has `dialled` as a backend.
std::string BackendOf(const FrontendKey& dialled, const DatapathState& state) {
  for (const auto& [name, port] : state) {
    if (name.protocol != dialled.protocol) continue;
    for (const Backend& backend : port->backends) {
      if (backend.address == dialled.address && backend.port == dialled.port) {
        return name.ToString();
      }
    }
  }
  return "";
}

// What else is served at the address.
void AddOthers(const FrontendKey& dialled, const DatapathState& state, Response& response) {
  for (const auto& [name, port] : state) {
    for (const Frontend& frontend : port->frontends) {
      if (response.others_size() == kMostOthers) return;
      if (frontend.key.address == dialled.address && frontend.kind != SHUNT_OTHER_PORTS &&
          frontend.key.scope == SHUNT_SCOPE_NODE && frontend.key != dialled) {
        *response.add_others() = ToProto(frontend);
      }
    }
  }
}

void AddEndpoints(const ServicePortState& port, Family family, Response& response) {
  size_t count = 0;
  for (const Backend& backend : port.backends) {
    if (backend.address.family() != family || ++count > kMostEndpoints) continue;
    auto* endpoint = response.add_endpoints();
    endpoint->set_address(backend.address.ToString());
    endpoint->set_port(backend.port);
    endpoint->set_in_cluster_list(backend.in_cluster_list);
    endpoint->set_in_local_list(backend.in_local_list);
  }
  response.set_endpoint_count(count);
}

void AddService(const Trace& trace, const DatapathState& state, Response& response) {
  *response.mutable_service() = ToProto(trace.service);
  *response.mutable_frontend() = ToProto(*trace.frontend);
  response.set_affinity_timeout_seconds(trace.affinity_timeout_s);
  response.set_choices(trace.candidates.size());
  if (trace.kept.has_value()) *response.mutable_kept() = ToProto(*trace.kept);
  if (trace.frontend->kind == SHUNT_OTHER_PORTS) return;  // nothing stands behind them
  const ServicePortState& port = *state.at(trace.service);
  for (const Cidr& range : port.sources) response.add_sources(range.ToString());
  AddEndpoints(port, trace.frontend->key.address.family(), response);
}

}  // namespace

std::string ListText(const Trace& trace, const FrontendKey& dialled) {
  if (trace.candidates.empty()) return EmptyListText(trace, dialled);
  if (trace.kept.has_value()) {
    return absl::StrCat("by session affinity this client stays with ", trace.kept->ToString());
  }
  const size_t count = trace.candidates.size();
  return count == 1 ? "one backend serves it"
                    : absl::StrCat("one of ", count, " backends, each with the same chance");
}

absl::StatusOr<Response> ExplainConnect(const v1::ExplainConnectRequest& request,
                                        const ConnectFacts& facts) {
  SHUNT_ASSIGN_OR_RETURN(const FrontendKey dialled, DialledKey(request));
  const Family family = dialled.address.family();
  Response response;
  *response.mutable_client() = Completed(request.client(), family);
  SHUNT_ASSIGN_OR_RETURN(TraceClient client, TraceClientOf(response.client(), facts));
  Trace trace = TraceConnect(facts.state, dialled, client);
  // Whose affinity counts is known once the service port is.
  client.last = LastOf(response.client(), trace.service, family, facts);
  if (client.last.has_value()) trace = TraceConnect(facts.state, dialled, client);

  response.set_verdict(ToProto(trace.verdict));
  response.set_error(std::string(ErrnoName(trace.verdict, facts.refusal == "EPERM")));
  response.set_socket_lb(facts.socket_lb);
  if (trace.frontend.has_value()) {
    AddService(trace, facts.state, response);
  } else {
    response.set_backend_of(BackendOf(dialled, facts.state));
  }
  AddOthers(dialled, facts.state, response);
  response.set_reason(ReasonText(trace, dialled, facts, response));
  return response;
}

void AddReasons(const ServiceReason& reason, Response& response) {
  const absl::StatusOr<Frontend> frontend = FromProto(response.frontend());
  const absl::StatusOr<ServicePortName> service = FromProto(response.service());
  if (!frontend.ok() || !service.ok() || frontend->kind == SHUNT_OTHER_PORTS) return;
  for (const PortReason& port : reason.ports) {
    if (port.name != *service || port.family != frontend->key.address.family()) continue;
    response.set_topology(std::string(TopologyText(port.topology)));
    response.set_endpoint_count(port.endpoints.size());
    response.clear_endpoints();
    for (const EndpointReason& endpoint : port.endpoints) {
      if (response.endpoints_size() == kMostEndpoints) break;
      *response.add_endpoints() = ToProto(endpoint);
    }
  }
}

}  // namespace shunt
