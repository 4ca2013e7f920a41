// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/tracer.h"

#include <algorithm>

namespace shunt {
namespace {

const Frontend* FindFrontend(const ServicePortState& state, const FrontendKey& key) {
  const auto found = std::find_if(state.frontends.begin(), state.frontends.end(),
                                  [&](const Frontend& frontend) { return frontend.key == key; });
  return found == state.frontends.end() ? nullptr : &*found;
}

Trace TraceFrontend(const ServicePortName& service, const ServicePortState& state,
                    const Frontend& frontend) {
  Trace trace{.service = service, .candidates = state.ListOf(frontend)};
  trace.verdict = trace.candidates.empty() ? frontend.when_empty : SHUNT_TRANSLATED;
  return trace;
}

}  // namespace

Trace TraceConnect(const DatapathState& state, const FrontendKey& dialled) {
  for (const auto& [service, port_state] : state) {
    if (const Frontend* frontend = FindFrontend(*port_state, dialled)) {
      return TraceFrontend(service, *port_state, *frontend);
    }
  }
  return {.verdict = SHUNT_NOT_A_SERVICE};
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
