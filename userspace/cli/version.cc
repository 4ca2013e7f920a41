// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/unix_socket.h"
#include "userspace/base/text.h"
#include "userspace/cli/command.h"
#include "userspace/cli/listing.h"

namespace shunt {
namespace {

// The agent's, "" where none answers: that is no error of this command.
std::string AgentVersion(const Options& options) {
  if (options.client_only || options.source == "maps") return "";
  if (!ProbeSocket(options.socket).ok()) return "";
  const auto agent = MakeAgentSource(options.socket, absl::Seconds(options.timeout_seconds));
  const absl::StatusOr<StatusReport> report = agent->Status();
  return report.ok() && report->agent.has_value() ? report->agent->version : "";
}

}  // namespace

absl::Status ShowVersion(Session& session) {
  const Options& options = session.options();
  const std::string agent = AgentVersion(options);
  if (options.machine_readable()) {
    const Json version = {{"apiVersion", kApiVersion},
                          {"kind", "Version"},
                          {"clientVersion", SHUNT_VERSION},
                          {"agentVersion", agent.empty() ? Json() : Json(agent)}};
    PrintObject(version, options, session.out());
    return absl::OkStatus();
  }
  session.out() << "Client Version: " << SHUNT_VERSION << '\n';
  if (!options.client_only) {
    session.out() << "Agent Version: " << (agent.empty() ? "<none answers>" : ForTerminal(agent))
                  << '\n';
  }
  return absl::OkStatus();
}

}  // namespace shunt
