// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/explain_json.h"

#include <algorithm>
#include <utility>

#include "absl/strings/strip.h"
#include "userspace/api/proto_state.h"
#include "userspace/base/status.h"
#include "userspace/cli/state_json.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

using ServiceResponse = v1::ExplainServiceResponse;
using ConnectResponse = v1::ExplainConnectResponse;

Json OrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

template <typename Texts>
Json ArrayOf(const Texts& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

Json ProblemJson(const v1::Problem& problem) {
  return {{"object", problem.object()},
          {"origin", problem.origin()},
          {"field", problem.field()},
          {"message", problem.message()}};
}

// How many an endpoint of a list shares its chance with, itself counted; null
// where it is in no list.
Json OneOf(bool in_list, uint64_t choices) { return in_list ? Json(choices) : Json(); }

Json EndpointJson(const ServiceResponse::EndpointReason& endpoint) {
  return {{"address", endpoint.address()},
          {"port", endpoint.port()},
          {"node", OrNull(endpoint.node())},
          {"slice", OrNull(endpoint.slice())},
          {"hints", OrNull(endpoint.hints())}};
}

// --- A Service

// What a client of the frontend ends with.
shunt_verdict VerdictOf(const Frontend& frontend, uint64_t choices) {
  return choices > 0 ? SHUNT_TRANSLATED : frontend.when_empty;
}

absl::StatusOr<Json> FrontendReasonJson(const ServiceResponse::FrontendReason& reason,
                                        v1::Refusal refusal) {
  SHUNT_ASSIGN_OR_RETURN(const Frontend frontend, FromProto(reason.frontend()));
  const shunt_verdict verdict = VerdictOf(frontend, reason.choices());
  Json json = FrontendJson(frontend, reason.choices());
  json["owner"] = OrNull(reason.owner());
  json["verdict"] = std::string(VerdictName(verdict));
  json["error"] = OrNull(std::string(ErrnoName(verdict, refusal == v1::REFUSAL_EPERM)));
  return json;
}

// Of how many a list of the port has: all frontends of one list have the same.
uint64_t ChoicesOf(const ServiceResponse::PortReason& port, v1::TrafficPolicy policy) {
  for (const ServiceResponse::FrontendReason& reason : port.frontends()) {
    if (reason.frontend().traffic_policy() == policy) return reason.choices();
  }
  return 0;
}

Json EndpointsJson(const ServiceResponse::PortReason& port) {
  const uint64_t cluster = ChoicesOf(port, v1::TRAFFIC_POLICY_CLUSTER);
  const uint64_t local = ChoicesOf(port, v1::TRAFFIC_POLICY_LOCAL);
  Json endpoints = Json::array();
  for (const ServiceResponse::EndpointReason& endpoint : port.endpoints()) {
    Json json = EndpointJson(endpoint);
    json["clusterFate"] = endpoint.cluster_fate();
    json["clusterOneOf"] = OneOf(endpoint.in_cluster_list(), cluster);
    json["localFate"] = endpoint.local_fate();
    json["localOneOf"] = OneOf(endpoint.in_local_list(), local);
    endpoints.push_back(std::move(json));
  }
  return endpoints;
}

absl::StatusOr<Json> PortJson(const ServiceResponse::PortReason& port, v1::Refusal refusal) {
  Json frontends = Json::array();
  for (const ServiceResponse::FrontendReason& reason : port.frontends()) {
    SHUNT_ASSIGN_OR_RETURN(Json json, FrontendReasonJson(reason, refusal));
    frontends.push_back(std::move(json));
  }
  SHUNT_ASSIGN_OR_RETURN(const ServicePortName name, FromProto(port.name()));
  return Json{{"port", name.port},
              {"protocol", ProtocolText(name.protocol)},
              {"family", port.family()},
              {"affinityTimeoutSeconds", port.affinity_timeout_seconds()},
              {"endsTcp", port.ends_tcp()},
              {"sources", ArrayOf(port.sources())},
              {"topology", port.topology()},
              {"frontends", std::move(frontends)},
              {"endpoints", EndpointsJson(port)},
              {"endpointCount", port.endpoint_count()},
              {"sliceCount", port.slice_count()},
              {"slicesWithoutPort", ArrayOf(port.slices_without_port())}};
}

// --- A connect

Json ClientJson(const v1::Client& client) {
  return {{"pod", client.is_pod()},
          {"address", OrNull(client.address())},
          {"netnsCookie", client.netns_cookie() == 0 ? Json() : Json(client.netns_cookie())}};
}

// The list is that of the frontend; without an agent nobody knows a reason.
Json ConnectEndpointsJson(const ConnectResponse& response) {
  const bool local = response.frontend().traffic_policy() == v1::TRAFFIC_POLICY_LOCAL;
  Json endpoints = Json::array();
  for (const ServiceResponse::EndpointReason& endpoint : response.endpoints()) {
    Json json = EndpointJson(endpoint);
    const bool in_list = local ? endpoint.in_local_list() : endpoint.in_cluster_list();
    json["inList"] = in_list;
    json["fate"] = OrNull(local ? endpoint.local_fate() : endpoint.cluster_fate());
    json["oneOf"] = OneOf(in_list && response.choices() > 0, response.choices());
    endpoints.push_back(std::move(json));
  }
  return endpoints;
}

Json KeptJson(const ConnectResponse& response) {
  if (!response.has_kept()) return Json();
  return {{"address", response.kept().address()}, {"port", response.kept().port()}};
}

absl::StatusOr<Json> ServiceJson(const ConnectResponse& response) {
  if (!response.has_service()) return Json();
  SHUNT_ASSIGN_OR_RETURN(const ServicePortName name, FromProto(response.service()));
  return Json{{"namespace", name.name_space},
              {"name", name.name},
              {"port", name.port},
              {"protocol", ProtocolText(name.protocol)}};
}

absl::StatusOr<Json> ConnectFrontendJson(const ConnectResponse& response) {
  if (!response.has_frontend()) return Json();
  SHUNT_ASSIGN_OR_RETURN(const Frontend frontend, FromProto(response.frontend()));
  return FrontendJson(frontend, response.choices());
}

absl::StatusOr<Json> OthersJson(const ConnectResponse& response) {
  Json others = Json::array();
  for (const v1::Frontend& proto : response.others()) {
    SHUNT_ASSIGN_OR_RETURN(const Frontend other, FromProto(proto));
    others.push_back(other.key.ToString());
  }
  return others;
}

}  // namespace

absl::StatusOr<Json> ServiceExplanationJson(const NamespacedName& name,
                                            const ServiceResponse& response) {
  Json ports = Json::array();
  for (const ServiceResponse::PortReason& port : response.ports()) {
    SHUNT_ASSIGN_OR_RETURN(Json json, PortJson(port, response.refusal()));
    ports.push_back(std::move(json));
  }
  Json problems = Json::array();
  for (const v1::Problem& problem : response.problems()) problems.push_back(ProblemJson(problem));
  return Json{{"apiVersion", kApiVersion},
              {"kind", "ServiceExplanation"},
              {"namespace", name.name_space},
              {"name", name.name},
              {"node", response.node_name()},
              {"zone", OrNull(response.node_zone())},
              {"notServed", OrNull(response.not_served())},
              {"ports", std::move(ports)},
              {"problems", std::move(problems)},
              {"pending", ArrayOf(response.pending())}};
}

absl::StatusOr<Json> ConnectExplanationJson(const v1::ExplainConnectRequest& request,
                                            const ConnectResponse& response) {
  SHUNT_ASSIGN_OR_RETURN(const shunt_protocol protocol, FromProto(request.protocol()));
  SHUNT_ASSIGN_OR_RETURN(const shunt_verdict verdict, FromProto(response.verdict()));
  SHUNT_ASSIGN_OR_RETURN(Json service, ServiceJson(response));
  SHUNT_ASSIGN_OR_RETURN(Json frontend, ConnectFrontendJson(response));
  SHUNT_ASSIGN_OR_RETURN(Json others, OthersJson(response));
  return Json{{"apiVersion", kApiVersion},
              {"kind", "ConnectExplanation"},
              {"address", request.address()},
              {"port", request.port()},
              {"protocol", ProtocolText(protocol)},
              {"client", ClientJson(response.client())},
              {"verdict", std::string(VerdictName(verdict))},
              {"reason", response.reason()},
              {"error", OrNull(response.error())},
              {"service", std::move(service)},
              {"frontend", std::move(frontend)},
              {"others", std::move(others)},
              {"backendOf", OrNull(response.backend_of())},
              {"socketLb", OrNull(response.socket_lb())},
              {"sources", ArrayOf(response.sources())},
              {"affinityTimeoutSeconds", response.affinity_timeout_seconds()},
              {"kept", KeptJson(response)},
              {"topology", OrNull(response.topology())},
              {"endpoints", ConnectEndpointsJson(response)},
              {"endpointCount", response.endpoint_count()}};
}

bool HasHints(const Json& endpoints) {
  return std::any_of(endpoints.begin(), endpoints.end(),
                     [](const Json& endpoint) { return !endpoint["hints"].is_null(); });
}

// "hints keep traffic in this zone", where "Hints" already stands before it.
std::string TopologyText(const Json& explanation) {
  const auto& text = explanation["topology"].get_ref<const std::string&>();
  return std::string(absl::StripPrefix(text, "hints "));
}

}  // namespace shunt
