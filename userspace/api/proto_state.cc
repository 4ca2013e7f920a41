// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/proto_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

// Elements of one message: 2,000 backends are about 80 KB.
constexpr size_t kElementsPerPart = 2000;

// Verdicts, hooks and kinds are numbered alike on both sides, one apart: 0 is what is
// unspecified here. The others are few, and translated by name.
static_assert(v1::VERDICT_NOT_A_SERVICE == SHUNT_NOT_A_SERVICE + 1);
static_assert(v1::VERDICT_RACED == SHUNT_RACED + 1 && v1::VERDICT_RACED == v1::Verdict_MAX);
static_assert(v1::VERDICT_RACED == SHUNT_VERDICT_COUNT + 0, "a verdict is missing in values.proto");
static_assert(v1::FRONTEND_KIND_CLUSTER_IP == SHUNT_CLUSTER_IP + 1);
static_assert(v1::FRONTEND_KIND_NODE_PORT == SHUNT_NODE_PORT + 1);
static_assert(v1::HOOK_CONNECT4 == SHUNT_CONNECT4 + 1);
static_assert(v1::HOOK_EGRESS == SHUNT_HOOK_COUNT + 0, "a hook is missing in values.proto");

v1::IndexRule ToProto(shunt_index_rule rule) {
  switch (rule) {
    case SHUNT_INDEX_RANDOM:
      return v1::INDEX_RULE_RANDOM;
  }
  return v1::INDEX_RULE_UNSPECIFIED;
}

absl::Status Unknown(absl::string_view what, int value) {
  return absl::InvalidArgumentError(
      absl::StrCat("the agent speaks of ", what, " ", value, ", which this version does not know"));
}

absl::StatusOr<shunt_index_rule> FromProto(v1::IndexRule rule) {
  if (rule == v1::INDEX_RULE_RANDOM) return SHUNT_INDEX_RANDOM;
  return Unknown("index rule", rule);
}

absl::StatusOr<BackendList> FromProto(v1::TrafficPolicy policy) {
  if (policy == v1::TRAFFIC_POLICY_CLUSTER) return BackendList::kCluster;
  if (policy == v1::TRAFFIC_POLICY_LOCAL) return BackendList::kLocal;
  return Unknown("traffic policy", policy);
}

absl::StatusOr<shunt_frontend_kind> FromProto(v1::FrontendKind kind) {
  if (kind > v1::FRONTEND_KIND_UNSPECIFIED && kind <= v1::FrontendKind_MAX) {
    return static_cast<shunt_frontend_kind>(kind - v1::FRONTEND_KIND_CLUSTER_IP);
  }
  return Unknown("frontend kind", kind);
}

absl::StatusOr<uint16_t> PortFromProto(uint32_t port) {
  if (port > UINT16_MAX) return absl::InvalidArgumentError(absl::StrCat(port, " is not a port"));
  return static_cast<uint16_t>(port);
}

absl::StatusOr<FrontendKey> KeyFromProto(const v1::Frontend& proto) {
  FrontendKey key;
  SHUNT_ASSIGN_OR_RETURN(key.address, IpAddress::Parse(proto.address()));
  SHUNT_ASSIGN_OR_RETURN(key.port, PortFromProto(proto.port()));
  SHUNT_ASSIGN_OR_RETURN(key.protocol, shunt::FromProto(proto.protocol()));
  if (!v1::Scope_IsValid(proto.scope()) || proto.scope() == v1::SCOPE_UNSPECIFIED) {
    return Unknown("scope", proto.scope());
  }
  key.scope = static_cast<shunt_scope>(proto.scope() - v1::SCOPE_NODE);
  return key;
}

// What holds for all of a service port.
void SetRules(const ServicePortState& state, v1::ServicePort& part) {
  for (const Cidr& range : state.sources) part.add_sources(range.ToString());
  part.set_affinity_timeout_seconds(state.affinity_timeout_s);
  part.set_ends_tcp(state.ends_tcp);
}

}  // namespace

v1::Verdict ToProto(shunt_verdict verdict) { return static_cast<v1::Verdict>(verdict + 1); }

v1::Protocol ToProto(shunt_protocol protocol) {
  switch (protocol) {
    case SHUNT_ANY_PROTOCOL:
      return v1::PROTOCOL_ANY;
    case SHUNT_TCP:
      return v1::PROTOCOL_TCP;
    case SHUNT_UDP:
      return v1::PROTOCOL_UDP;
    case SHUNT_SCTP:
      return v1::PROTOCOL_SCTP;
  }
  return v1::PROTOCOL_UNSPECIFIED;
}

absl::StatusOr<shunt_protocol> FromProto(v1::Protocol protocol) {
  switch (protocol) {
    case v1::PROTOCOL_ANY:
      return SHUNT_ANY_PROTOCOL;
    case v1::PROTOCOL_TCP:
      return SHUNT_TCP;
    case v1::PROTOCOL_UDP:
      return SHUNT_UDP;
    case v1::PROTOCOL_SCTP:
      return SHUNT_SCTP;
    default:
      return Unknown("protocol", protocol);
  }
}

absl::StatusOr<shunt_verdict> FromProto(v1::Verdict verdict) {
  if (verdict > v1::VERDICT_UNSPECIFIED && verdict <= v1::Verdict_MAX) {
    return static_cast<shunt_verdict>(verdict - 1);
  }
  return Unknown("verdict", verdict);
}

v1::Refusal RefusalToProto(std::string_view refusal) {
  if (refusal == "ECONNREFUSED") return v1::REFUSAL_ECONNREFUSED;
  return refusal == "EPERM" ? v1::REFUSAL_EPERM : v1::REFUSAL_UNSPECIFIED;
}

v1::ServicePortName ToProto(const ServicePortName& name) {
  v1::ServicePortName proto;
  proto.set_namespace_(ToUtf8(name.name_space));
  proto.set_name(ToUtf8(name.name));
  proto.set_port(ToUtf8(name.port));
  proto.set_protocol(ToProto(name.protocol));
  return proto;
}

absl::StatusOr<ServicePortName> FromProto(const v1::ServicePortName& proto) {
  ServicePortName name{
      .name_space = proto.namespace_(), .name = proto.name(), .port = proto.port()};
  SHUNT_ASSIGN_OR_RETURN(name.protocol, FromProto(proto.protocol()));
  return name;
}

v1::Frontend ToProto(const Frontend& frontend) {
  v1::Frontend proto;
  proto.set_address(frontend.key.address.ToString());
  proto.set_port(frontend.key.port);
  proto.set_protocol(ToProto(frontend.key.protocol));
  proto.set_scope(static_cast<v1::Scope>(int{frontend.key.scope} + v1::SCOPE_NODE));
  proto.set_traffic_policy(frontend.list == BackendList::kCluster ? v1::TRAFFIC_POLICY_CLUSTER
                                                                  : v1::TRAFFIC_POLICY_LOCAL);
  proto.set_index_rule(ToProto(frontend.index_rule));
  proto.set_when_empty(ToProto(frontend.when_empty));
  proto.set_kind(static_cast<v1::FrontendKind>(int{frontend.kind} + v1::FRONTEND_KIND_CLUSTER_IP));
  proto.set_checks_source(frontend.checks_source);
  proto.set_host_only(frontend.host_only);
  return proto;
}

absl::StatusOr<Frontend> FromProto(const v1::Frontend& proto) {
  Frontend frontend;
  SHUNT_ASSIGN_OR_RETURN(frontend.key, KeyFromProto(proto));
  SHUNT_ASSIGN_OR_RETURN(frontend.list, FromProto(proto.traffic_policy()));
  SHUNT_ASSIGN_OR_RETURN(frontend.index_rule, FromProto(proto.index_rule()));
  SHUNT_ASSIGN_OR_RETURN(frontend.when_empty, FromProto(proto.when_empty()));
  SHUNT_ASSIGN_OR_RETURN(frontend.kind, FromProto(proto.kind()));
  frontend.checks_source = proto.checks_source();
  frontend.host_only = proto.host_only();
  return frontend;
}

v1::Backend ToProto(const Backend& backend) {
  v1::Backend proto;
  proto.set_address(backend.address.ToString());
  proto.set_port(backend.port);
  proto.set_on_this_node(backend.on_this_node);
  proto.set_in_cluster_list(backend.in_cluster_list);
  proto.set_in_local_list(backend.in_local_list);
  return proto;
}

absl::StatusOr<Backend> FromProto(const v1::Backend& proto) {
  Backend backend{.on_this_node = proto.on_this_node(),
                  .in_cluster_list = proto.in_cluster_list(),
                  .in_local_list = proto.in_local_list()};
  SHUNT_ASSIGN_OR_RETURN(backend.address, IpAddress::Parse(proto.address()));
  SHUNT_ASSIGN_OR_RETURN(backend.port, PortFromProto(proto.port()));
  return backend;
}

bool ToProtoParts(const ServicePortName& name, const ServicePortState& state,
                  absl::FunctionRef<bool(v1::ServicePort)> sink) {
  size_t frontend = 0;
  size_t backend = 0;
  bool more = true;
  while (more) {
    v1::ServicePort part;
    *part.mutable_name() = ToProto(name);
    if (frontend == 0 && backend == 0) SetRules(state, part);
    const size_t last_frontend = std::min(state.frontends.size(), frontend + kElementsPerPart);
    for (; frontend < last_frontend; ++frontend) {
      *part.add_frontends() = ToProto(state.frontends[frontend]);
    }
    const size_t last_backend = std::min(state.backends.size(), backend + kElementsPerPart);
    for (; backend < last_backend; ++backend) {
      *part.add_backends() = ToProto(state.backends[backend]);
    }
    more = frontend < state.frontends.size() || backend < state.backends.size();
    part.set_continued(more);
    if (!sink(std::move(part))) return false;
  }
  return true;
}

absl::Status ServicePortAssembler::Add(const v1::ServicePort& part, DatapathState& state) {
  SHUNT_RETURN_IF_ERROR(TakeRules(part));
  for (const v1::Frontend& proto : part.frontends()) {
    SHUNT_ASSIGN_OR_RETURN(gathered_.frontends.emplace_back(), FromProto(proto));
  }
  for (const v1::Backend& proto : part.backends()) {
    SHUNT_ASSIGN_OR_RETURN(gathered_.backends.emplace_back(), FromProto(proto));
  }
  incomplete_ = part.continued();
  if (incomplete_) return absl::OkStatus();
  SHUNT_ASSIGN_OR_RETURN(ServicePortName name, FromProto(part.name()));
  state[std::move(name)] =
      std::make_shared<const ServicePortState>(std::exchange(gathered_, ServicePortState()));
  return absl::OkStatus();
}

absl::Status ServicePortAssembler::TakeRules(const v1::ServicePort& part) {
  for (const std::string& source : part.sources()) {
    SHUNT_ASSIGN_OR_RETURN(Cidr range, Cidr::Parse(source));
    gathered_.sources.push_back(range);
  }
  gathered_.affinity_timeout_s =
      std::max(gathered_.affinity_timeout_s, part.affinity_timeout_seconds());
  gathered_.ends_tcp |= part.ends_tcp();
  return absl::OkStatus();
}

v1::ListAffinityResponse::Item ToProto(const AffinityClient& client) {
  v1::ListAffinityResponse::Item item;
  *item.mutable_service() = ToProto(client.service);
  item.set_netns_cookie(client.netns_cookie);
  item.set_address(client.address.ToString());
  if (client.backend.has_value()) {
    item.set_backend(client.backend->address.ToString());
    item.set_backend_port(client.backend->port);
  }
  item.set_idle_seconds(client.idle_s);
  item.set_timeout_seconds(client.timeout_s);
  return item;
}

absl::StatusOr<AffinityClient> FromProto(const v1::ListAffinityResponse::Item& item) {
  AffinityClient client{.netns_cookie = item.netns_cookie(),
                        .idle_s = item.idle_seconds(),
                        .timeout_s = item.timeout_seconds()};
  SHUNT_ASSIGN_OR_RETURN(client.service, FromProto(item.service()));
  SHUNT_ASSIGN_OR_RETURN(client.address, IpAddress::Parse(item.address()));
  if (!item.backend().empty()) {
    client.backend.emplace();
    SHUNT_ASSIGN_OR_RETURN(client.backend->address, IpAddress::Parse(item.backend()));
    SHUNT_ASSIGN_OR_RETURN(client.backend->port, PortFromProto(item.backend_port()));
  }
  return client;
}

v1::Problem ToProto(const Problem& problem) {
  v1::Problem proto;
  proto.set_object(ToUtf8(problem.object));
  proto.set_origin(ToUtf8(problem.origin));
  proto.set_field(ToUtf8(problem.field));
  proto.set_message(ToUtf8(problem.message));
  return proto;
}

Problem FromProto(const v1::Problem& proto) {
  return {.object = proto.object(),
          .origin = proto.origin(),
          .field = proto.field(),
          .message = proto.message()};
}

v1::Map ToProto(const MapInfo& map) {
  v1::Map proto;
  proto.set_name(ToUtf8(map.name));
  proto.set_type(ToUtf8(map.type));
  proto.set_pin(ToUtf8(map.pin));
  proto.set_key_size(map.key_size);
  proto.set_value_size(map.value_size);
  if (map.entries.has_value()) proto.set_entries(*map.entries);
  proto.set_max_entries(map.max_entries);
  proto.set_memory_bytes(map.memory_bytes);
  return proto;
}

MapInfo FromProto(const v1::Map& proto) {
  MapInfo map{.name = proto.name(),
              .type = proto.type(),
              .pin = proto.pin(),
              .key_size = proto.key_size(),
              .value_size = proto.value_size(),
              .max_entries = proto.max_entries(),
              .memory_bytes = proto.memory_bytes()};
  if (proto.has_entries()) map.entries = proto.entries();
  return map;
}

v1::Program ToProto(const ProgramInfo& program) {
  v1::Program proto;
  proto.set_name(ToUtf8(program.name));
  proto.set_hook(ToUtf8(program.hook));
  proto.set_pin(ToUtf8(program.pin));
  proto.set_tag(ToUtf8(program.tag));
  proto.set_verified_instructions(program.verified_instructions);
  proto.set_run_count(program.run_count);
  proto.set_run_time_ns(program.run_time_ns);
  return proto;
}

ProgramInfo FromProto(const v1::Program& proto) {
  return {.name = proto.name(),
          .hook = proto.hook(),
          .pin = proto.pin(),
          .tag = proto.tag(),
          .verified_instructions = proto.verified_instructions(),
          .run_count = proto.run_count(),
          .run_time_ns = proto.run_time_ns()};
}

void AddCounters(const VerdictCounters& counters, v1::GetStatusResponse& response) {
  for (size_t verdict = 0; verdict < counters.size(); ++verdict) {
    for (size_t hook = 0; hook < counters[verdict].size(); ++hook) {
      if (counters[verdict][hook] == 0) continue;
      v1::VerdictCounter* proto = response.add_verdict_counters();
      proto->set_verdict(static_cast<v1::Verdict>(verdict + 1));
      proto->set_hook(static_cast<v1::Hook>(hook + 1));
      proto->set_runs(counters[verdict][hook]);
    }
  }
}

VerdictCounters CountersOf(const v1::GetStatusResponse& response) {
  VerdictCounters counters{};
  for (const v1::VerdictCounter& proto : response.verdict_counters()) {
    const size_t verdict = static_cast<size_t>(proto.verdict()) - 1;
    const size_t hook = static_cast<size_t>(proto.hook()) - 1;
    if (verdict < counters.size() && hook < counters[verdict].size()) {
      counters[verdict][hook] = proto.runs();
    }
  }
  return counters;
}

}  // namespace shunt
