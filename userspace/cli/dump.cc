// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/dump.h"

#include "userspace/base/status.h"
#include "userspace/base/text.h"
#include "userspace/cli/command.h"

namespace shunt {
namespace {

// Maps can hold any bytes for a name. Names as Kubernetes allows them stay.
DatapathState WithNamesForTerminal(const DatapathState& state) {
  DatapathState result;
  for (const auto& [name, port] : state) {
    result.emplace(ServicePortName{.name_space = ForTerminal(name.name_space),
                                   .name = ForTerminal(name.name),
                                   .port = ForTerminal(name.port),
                                   .protocol = name.protocol},
                   port);
  }
  return result;
}

}  // namespace

absl::Status ShowDump(Session& session) {
  SHUNT_ASSIGN_OR_RETURN(Source * source, session.source());
  SHUNT_ASSIGN_OR_RETURN(const DatapathState state, source->State(ServiceFilter()));
  session.out() << Dump(WithNamesForTerminal(state));
  return absl::OkStatus();
}

}  // namespace shunt
