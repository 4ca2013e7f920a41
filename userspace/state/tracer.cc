// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/tracer.h"

#include <algorithm>

namespace shunt {
namespace {

struct Found {
  const ServicePortName* service = nullptr;
  const ServicePortState* state = nullptr;
  const Frontend* frontend = nullptr;
};

Found Find(const DatapathState& state, const FrontendKey& key) {
  for (const auto& [service, port_state] : state) {
    for (const Frontend& frontend : port_state->frontends) {
      if (frontend.key == key) return {&service, port_state.get(), &frontend};
    }
  }
  return {};
}

// What is dialled, as the programs look for it: exactly, then as any other port.
Found FindDialled(const DatapathState& state, FrontendKey key) {
  if (key.scope == SHUNT_SCOPE_OUTSIDE) {
    if (const Found found = Find(state, key); found.frontend != nullptr) return found;
    key.scope = SHUNT_SCOPE_NODE;
  }
  if (const Found found = Find(state, key); found.frontend != nullptr) return found;
  return Find(state, {.address = key.address, .port = 0, .protocol = SHUNT_ANY_PROTOCOL});
}

bool IsNamedBy(const std::vector<Cidr>& sources, const TraceClient& client) {
  return client.source.has_value() &&
         std::any_of(sources.begin(), sources.end(),
                     [&](const Cidr& range) { return range.Contains(*client.source); });
}

shunt_verdict VerdictOf(const Found& found, const TraceClient& client, const Trace& trace) {
  if (found.frontend->checks_source && !IsNamedBy(found.state->sources, client)) {
    return SHUNT_SOURCE_DENIED;
  }
  return trace.candidates.empty() ? found.frontend->when_empty : SHUNT_TRANSLATED;
}

}  // namespace

Trace TraceConnect(const DatapathState& state, const FrontendKey& dialled,
                   const TraceClient& client) {
  const Found found = FindDialled(state, dialled);
  if (found.frontend == nullptr || (found.frontend->host_only && !client.in_host_namespace)) {
    return {.verdict = SHUNT_NOT_A_SERVICE};
  }
  Trace trace{.service = *found.service,
              .frontend = *found.frontend,
              .candidates = found.state->ListOf(*found.frontend),
              .affinity_timeout_s = found.state->affinity_timeout_s};
  trace.verdict = VerdictOf(found, client, trace);
  if (trace.verdict != SHUNT_TRANSLATED) trace.candidates.clear();
  return trace;
}

std::string_view VerdictName(shunt_verdict verdict) {
  switch (verdict) {
    case SHUNT_NOT_A_SERVICE:
      return "not_a_service";
    case SHUNT_TRANSLATED:
      return "translated";
    case SHUNT_CONTINUED:
      return "continued";
    case SHUNT_RESTORED:
      return "restored";
    case SHUNT_NO_ENDPOINT:
      return "no_endpoint";
    case SHUNT_NO_PORT:
      return "no_port";
    case SHUNT_NO_LOCAL_ENDPOINT:
      return "no_local_endpoint";
    case SHUNT_SOURCE_DENIED:
      return "source_denied";
    case SHUNT_LEFT_ALONE:
      return "left_alone";
    case SHUNT_NO_MEMORY:
      return "no_memory";
    case SHUNT_RACED:
      return "raced";
    case SHUNT_VERDICT_COUNT:
      break;
  }
  return "unknown";  // what a map of another version may hold
}

}  // namespace shunt
