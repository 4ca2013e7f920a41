// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"
#include "userspace/base/text.h"
#include "userspace/cli/command.h"
#include "userspace/cli/listing.h"
#include "userspace/cli/state_json.h"

namespace shunt {
namespace {

std::string BackendsCell(const Json& frontend) {
  const size_t backends = frontend["backends"].get<size_t>();
  if (const std::string unseen = UnseenText(frontend); !unseen.empty()) {
    return absl::StrCat(backends, unseen);
  }
  if (backends > 0) return absl::StrCat(backends);
  return TextAt(frontend, "whenEmpty") == "no_endpoint"
             ? "0 (refused)"
             : absl::StrCat("0 (", TextAt(frontend, "whenEmpty"), ")");
}

// Whom a frontend is for.
std::string ClientsCell(const Json& frontend, const Json& port) {
  if (frontend["hostOnly"].get<bool>()) return "the host";
  if (!frontend["checksSource"].get<bool>()) return "all";
  return port["sources"].empty() ? "nobody" : JoinedTexts(port["sources"]);
}

void PrintFrontends(const Json& port, std::ostream& out) {
  const Json& frontends = port["frontends"];
  if (frontends.empty()) {
    out << "Frontends:  <none>\n";
    return;
  }
  out << "Frontends:\n";
  std::vector<Table::Cells> rows = {{"Address", "Kind", "Policy", "Choice", "Backends", "Clients"}};
  for (const Json& frontend : frontends) {
    rows.push_back({FrontendText(frontend), TextAt(frontend, "kind"),
                    TextAt(frontend, "trafficPolicy"), TextAt(frontend, "indexRule"),
                    BackendsCell(frontend), ClientsCell(frontend, port)});
  }
  PrintIndented(rows, out);
}

void PrintBackends(const Json& backends, std::ostream& out) {
  if (backends.empty()) {
    out << "Backends:   <none>\n";
    return;
  }
  out << "Backends:\n";
  std::vector<Table::Cells> rows = {{"Address", "State", "Lists"}};
  for (const Json& backend : backends) {
    rows.push_back(
        {AddressAndPortText(backend), TextAt(backend, "state"), JoinedTexts(backend["lists"])});
  }
  PrintIndented(rows, out);
}

void PrintPort(const Json& port, std::ostream& out) {
  const std::string name = TextAt(port, "port");
  out << "Port:       " << (name.empty() ? "<unset>" : ForTerminal(name)) << " "
      << TextAt(port, "protocol") << '\n';
  const int64_t affinity = port["affinityTimeoutSeconds"].get<int64_t>();
  if (affinity > 0) out << "Affinity:   ClientIP, " << affinity << " s\n";
  if (port["endsTcp"].get<bool>()) out << "Gone pods:  their TCP connections are ended\n";
  PrintFrontends(port, out);
  PrintBackends(port["backends"], out);
}

// What the agent says of this Service. Empty without an agent.
std::vector<std::string> Complaints(const absl::StatusOr<StatusReport>& report,
                                    const ServiceFilter& filter) {
  std::vector<std::string> lines;
  if (!report.ok() || !report->agent.has_value()) return lines;
  const std::string service = absl::StrCat(filter.name_space, "/", filter.name);
  for (const Problem& problem : report->agent->problems) {
    if (problem.object == absl::StrCat("Service ", service)) lines.push_back(problem.ToString());
  }
  for (const std::string& line : report->agent->pending) {
    if (absl::StartsWith(line, service + ":")) lines.push_back("not yet in the kernel: " + line);
  }
  return lines;
}

}  // namespace

absl::Status DescribeService(Session& session) {
  const ServiceFilter filter = session.options().Filter();
  SHUNT_ASSIGN_OR_RETURN(Source * source, session.source());
  SHUNT_ASSIGN_OR_RETURN(const DatapathState state, source->State(filter));
  const std::vector<std::string> complaints = Complaints(source->Status(), filter);
  if (state.empty() && complaints.empty()) {
    return absl::NotFoundError(absl::StrCat("service ", Quoted(filter.name),
                                            " not found in namespace ", Quoted(filter.name_space)));
  }
  std::ostream& out = session.out();
  out << "Name:       " << ForTerminal(filter.name) << '\n';
  out << "Namespace:  " << ForTerminal(filter.name_space) << '\n';
  if (state.empty()) out << "Ports:      <none>\n";
  for (const auto& [name, port] : state) PrintPort(ServicePortJson(name, *port), out);
  out << (complaints.empty() ? "Problems:   <none>\n" : "Problems:\n");
  for (const std::string& line : complaints) out << "  " << ForTerminal(line) << '\n';
  return absl::OkStatus();
}

}  // namespace shunt
