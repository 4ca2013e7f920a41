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

// The step that decides, asked in the order in which the programs ask.
TraceStep StepOf(const Found& found, const FrontendKey& dialled, const TraceClient& client) {
  if (dialled.scope == SHUNT_SCOPE_NODE && !IsSeenAtSocket(dialled)) return TraceStep::kProtocol;
  if (client.left_alone) return TraceStep::kLeftAlone;
  if (found.frontend->host_only && !client.in_host_namespace) return TraceStep::kHostOnly;
  if (found.frontend->checks_source && !IsNamedBy(found.state->sources, client)) {
    return TraceStep::kSource;
  }
  return TraceStep::kList;
}

shunt_verdict VerdictOf(TraceStep step, const Trace& trace) {
  switch (step) {
    case TraceStep::kMartian:
    case TraceStep::kFrontend:
    case TraceStep::kProtocol:
    case TraceStep::kHostOnly:
      return SHUNT_NOT_A_SERVICE;
    case TraceStep::kLeftAlone:
      return SHUNT_LEFT_ALONE;
    case TraceStep::kSource:
      return SHUNT_SOURCE_DENIED;
    case TraceStep::kList:
      return trace.candidates.empty() ? trace.frontend->when_empty : SHUNT_TRANSLATED;
  }
  return SHUNT_NOT_A_SERVICE;
}

// With session affinity: what the client had, if it had it lately enough.
std::optional<Backend> Kept(const Trace& trace, const std::optional<LastBackend>& last) {
  if (!last.has_value() || last->idle_s >= trace.affinity_timeout_s) return std::nullopt;
  for (const Backend& backend : trace.candidates) {
    if (backend.address == last->address && backend.port == last->port) return backend;
  }
  return std::nullopt;
}

// Nobody can be answered there, or it is its own answer.
bool IsMartian(const IpAddress& source, uint16_t source_port, const FrontendKey& dialled) {
  if (source == dialled.address && source_port == dialled.port) return true;
  if (source.family() == Family::kIpv6) {
    return source.IsMulticast() || source.IsUnspecified() || source.IsLoopback();
  }
  const uint8_t first = source.bytes()[12];
  return first == 0 || first == 127 || first >= 224;
}

}  // namespace

bool IsSeenAtSocket(const FrontendKey& dialled) {
  return dialled.scope == SHUNT_SCOPE_NODE && dialled.protocol != SHUNT_SCTP;
}

Trace TraceConnect(const DatapathState& state, const FrontendKey& dialled,
                   const TraceClient& client) {
  const Found found = FindDialled(state, dialled);
  if (found.frontend == nullptr) return {};
  Trace trace{.step = StepOf(found, dialled, client),
              .service = *found.service,
              .frontend = *found.frontend,
              .candidates = found.state->ListOf(*found.frontend),
              .affinity_timeout_s = found.state->affinity_timeout_s};
  trace.verdict = VerdictOf(trace.step, trace);
  if (trace.verdict != SHUNT_TRANSLATED) trace.candidates.clear();
  trace.kept = Kept(trace, client.last);
  return trace;
}

Trace TracePacket(const DatapathState& state, uint16_t source_port, const FrontendKey& dialled,
                  const TraceClient& client) {
  if (client.source.has_value() && IsMartian(*client.source, source_port, dialled)) {
    return {.step = TraceStep::kMartian};
  }
  return TraceConnect(state, dialled, client);
}

std::string_view ErrnoName(shunt_verdict verdict, bool only_eperm) {
  const auto either = [only_eperm](std::string_view name) { return only_eperm ? "EPERM" : name; };
  switch (verdict) {
    case SHUNT_NO_ENDPOINT:
    case SHUNT_NO_PORT:
      return either("ECONNREFUSED");
    case SHUNT_NO_LOCAL_ENDPOINT:
    case SHUNT_SOURCE_DENIED:
      return either("ETIMEDOUT");
    case SHUNT_NO_MEMORY:
      return either("ENOBUFS");
    case SHUNT_RACED:
      return either("EAGAIN");
    default:
      return "";
  }
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
