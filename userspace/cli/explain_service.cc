// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/cli/command.h"
#include "userspace/cli/explain_json.h"
#include "userspace/cli/listing.h"
#include "userspace/cli/state_json.h"

namespace shunt {
namespace {

// Whom a frontend is for.
std::string ClientsCell(const Json& frontend, const Json& port) {
  if (frontend["hostOnly"].get<bool>()) return "the host";
  if (!frontend["checksSource"].get<bool>()) return "all";
  return port["sources"].empty() ? "nobody" : JoinedTexts(port["sources"]);
}

// What a client that may dial it ends with.
std::string ResultCell(const Json& frontend) {
  if (!frontend["owner"].is_null()) {
    return absl::StrCat("Service ", TextAt(frontend, "owner"), " has it");
  }
  if (const std::string unseen = UnseenText(frontend); !unseen.empty()) {
    return "not seen at the socket";
  }
  const std::string verdict = TextAt(frontend, "verdict");
  const std::string error = TextAt(frontend, "error");
  if (!error.empty()) return absl::StrCat(error, " (", verdict, ")");
  return absl::StrCat("one of ", TextAt(frontend, "backends"));
}

void PrintFrontends(const Json& port, std::ostream& out) {
  out << "Frontends:\n";
  std::vector<Table::Cells> rows = {{"Address", "Kind", "Policy", "Clients", "Result"}};
  for (const Json& frontend : port["frontends"]) {
    rows.push_back({FrontendText(frontend), TextAt(frontend, "kind"),
                    TextAt(frontend, "trafficPolicy"), ClientsCell(frontend, port),
                    ResultCell(frontend)});
  }
  PrintIndented(rows, out);
}

bool HasPolicy(const Json& port, const char* policy) {
  for (const Json& frontend : port["frontends"]) {
    if (frontend["trafficPolicy"] == policy) return true;
  }
  return false;
}

// "1 of 3", or why it is not in the list. `fate` and `one_of` name fields.
std::string FateCell(const Json& endpoint, const char* fate, const char* one_of) {
  const std::string text = TextAt(endpoint, fate);
  if (endpoint[one_of].is_null()) return text;
  const std::string chance = absl::StrCat("1 of ", TextAt(endpoint, one_of));
  return text == "selected" ? chance : absl::StrCat(chance, ", ", text);
}

// One column for each list that a frontend of the port uses.
struct ListColumn {
  const char *header, *fate, *one_of;
};

std::vector<ListColumn> ListColumns(const Json& port) {
  std::vector<ListColumn> columns;
  if (HasPolicy(port, "Cluster")) columns.push_back({"Cluster", "clusterFate", "clusterOneOf"});
  if (HasPolicy(port, "Local")) columns.push_back({"Local", "localFate", "localOneOf"});
  return columns;
}

void PrintEndpointTable(const Json& port, std::ostream& out) {
  const std::vector<ListColumn> lists = ListColumns(port);
  const bool hints = HasHints(port["endpoints"]);
  std::vector<Table::Cells> rows = {{"Address"}};
  for (const ListColumn& list : lists) rows[0].push_back(list.header);
  rows[0].insert(rows[0].end(), {"Node", "EndpointSlice"});
  if (hints) rows[0].push_back("Hints");
  for (const Json& endpoint : port["endpoints"]) {
    Table::Cells cells = {AddressAndPortText(endpoint)};
    for (const ListColumn& list : lists) {
      cells.push_back(FateCell(endpoint, list.fate, list.one_of));
    }
    cells.insert(cells.end(), {TextAt(endpoint, "node"), TextAt(endpoint, "slice")});
    if (hints) cells.push_back(TextAt(endpoint, "hints"));
    rows.push_back(std::move(cells));
  }
  PrintIndented(rows, out);
}

void PrintEndpoints(const Json& port, std::ostream& out) {
  const Json& endpoints = port["endpoints"];
  const auto count = port["endpointCount"].get<uint64_t>();
  if (endpoints.empty()) {
    PrintLine("Endpoints",
              port["sliceCount"].get<uint64_t>() > 0
                  ? "<none>"
                  : absl::StrCat("<none>: no ", TextAt(port, "family"),
                                 " EndpointSlice that can be read names this Service"),
              out);
  } else {
    out << "Endpoints:\n";
    PrintEndpointTable(port, out);
  }
  if (count > endpoints.size()) out << "  and " << count - endpoints.size() << " more\n";
  for (const Json& slice : port["slicesWithoutPort"]) {
    PrintLine("Port names",
              absl::StrCat(
                  "EndpointSlice ", slice.get<std::string>(), " has no port ",
                  TextAt(port, "port").empty() ? "without a name" : "named " + TextAt(port, "port"),
                  ", ", TextAt(port, "protocol")),
              out);
  }
}

void PrintPort(const Json& port, std::ostream& out) {
  const std::string name = TextAt(port, "port");
  out << '\n';
  PrintLine("Port",
            absl::StrCat(name.empty() ? "<unset>" : name, " ", TextAt(port, "protocol"), ", ",
                         TextAt(port, "family")),
            out);
  const auto affinity = port["affinityTimeoutSeconds"].get<uint64_t>();
  PrintLine("Affinity", affinity > 0 ? absl::StrCat("ClientIP, ", affinity, " s") : "none", out);
  if (HasHints(port["endpoints"])) PrintLine("Hints", TopologyText(port), out);
  PrintLine("Gone pods",
            port["endsTcp"].get<bool>() ? "their TCP connections are ended (on-backend-removal)"
                                        : "keep the connections that they have",
            out);
  PrintFrontends(port, out);
  PrintEndpoints(port, out);
}

std::string ProblemText(const Json& problem) {
  return Problem{.object = TextAt(problem, "object"),
                 .origin = TextAt(problem, "origin"),
                 .field = TextAt(problem, "field"),
                 .message = TextAt(problem, "message")}
      .ToString();
}

void Print(const Json& explanation, std::ostream& out) {
  PrintLine("Name", TextAt(explanation, "name"), out);
  PrintLine("Namespace", TextAt(explanation, "namespace"), out);
  const std::string zone = TextAt(explanation, "zone");
  PrintLine("Node",
            absl::StrCat(TextAt(explanation, "node"), ", zone ", zone.empty() ? "unknown" : zone),
            out);
  if (!explanation["notServed"].is_null()) {
    PrintLine("Not served", TextAt(explanation, "notServed"), out);
  }
  for (const Json& port : explanation["ports"]) PrintPort(port, out);
  out << '\n';
  for (const Json& line : explanation["pending"]) {
    PrintLine("Pending", "not yet in the kernel: " + line.get<std::string>(), out);
  }
  const Json& problems = explanation["problems"];
  out << (problems.empty() ? "Problems:   <none>\n" : "Problems:\n");
  std::vector<Table::Cells> rows;
  for (const Json& problem : problems) rows.push_back({ProblemText(problem)});
  PrintIndented(rows, out);
}

}  // namespace

absl::Status ExplainService(Session& session) {
  const ServiceFilter filter = session.options().Filter();
  const NamespacedName name{.name_space = filter.name_space, .name = filter.name};
  SHUNT_ASSIGN_OR_RETURN(Source * source, session.source());
  SHUNT_ASSIGN_OR_RETURN(const v1::ExplainServiceResponse response, source->ExplainService(name));
  SHUNT_ASSIGN_OR_RETURN(const Json explanation, ServiceExplanationJson(name, response));
  if (session.options().machine_readable()) {
    PrintObject(explanation, session.options(), session.out());
  } else {
    Print(explanation, session.out());
  }
  return absl::OkStatus();
}

}  // namespace shunt
