// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "userspace/api/proto_state.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/cgroup.h"
#include "userspace/base/first_address.h"
#include "userspace/base/netns.h"
#include "userspace/base/status.h"
#include "userspace/cli/command.h"
#include "userspace/cli/explain_json.h"
#include "userspace/cli/listing.h"
#include "userspace/cli/state_json.h"
#include "userspace/cli/target.h"

namespace shunt {
namespace {

// --- The question

// Who a process is to the programs: its network namespace, the first address
// there, its cgroups.
absl::StatusOr<v1::Client> ClientOfProcess(int process, Family family) {
  v1::Client client;
  std::optional<IpAddress> address;
  SHUNT_RETURN_IF_ERROR(RunInNetns(absl::StrCat("/proc/", process, "/ns/net"), [&] {
    client.set_netns_cookie(OwnNetnsCookie());
    address = FirstAddress(family);
  }));
  if (client.netns_cookie() == 0) {
    return absl::UnimplementedError("this kernel does not number network namespaces (before 5.14)");
  }
  if (address.has_value()) client.set_address(address->ToString());
  SHUNT_ASSIGN_OR_RETURN(const std::vector<uint64_t> cgroups, CgroupIdsOf(process));
  for (const uint64_t id : cgroups) client.add_cgroup_ids(id);
  return client;
}

absl::StatusOr<v1::Client> ClientOf(const Options& options, Family family) {
  if (options.from_netns != 0) return ClientOfProcess(options.from_netns, family);
  v1::Client client;
  if (options.from_pod.empty()) return client;
  SHUNT_ASSIGN_OR_RETURN(const IpAddress address, IpAddress::Parse(options.from_pod));
  if (address.family() != family) {
    return absl::InvalidArgumentError(absl::StrCat("--from-pod ", address.ToString(), " dials no ",
                                                   Absl(FamilyName(family)), " address"));
  }
  client.set_is_pod(true);
  client.set_address(address.ToString());
  return client;
}

absl::StatusOr<v1::ExplainConnectRequest> RequestOf(const Options& options) {
  SHUNT_ASSIGN_OR_RETURN(const FrontendKey target, ParseTarget(options.target));
  v1::ExplainConnectRequest request;
  request.set_address(target.address.ToString());
  request.set_port(target.port);
  request.set_protocol(ToProto(target.protocol));
  SHUNT_ASSIGN_OR_RETURN(*request.mutable_client(), ClientOf(options, target.address.family()));
  return request;
}

// --- The answer

std::string TargetText(const Json& explanation) {
  return absl::StrCat(AddressAndPortText(explanation), "/", TextAt(explanation, "protocol"));
}

std::string ClientText(const Json& client) {
  const std::string address = TextAt(client, "address");
  return absl::StrCat(client["pod"].get<bool>() ? "a pod" : "the host", ", ",
                      address.empty() ? "address unknown" : address);
}

std::string ServiceText(const Json& service) {
  const std::string port = TextAt(service, "port");
  return absl::StrCat(TextAt(service, "namespace"), "/", TextAt(service, "name"),
                      port.empty() ? "" : ":", port);
}

std::string FrontendLine(const Json& explanation) {
  const Json& frontend = explanation["frontend"];
  if (frontend.is_null()) return "none";
  if (frontend["kind"] == "OtherPorts") {
    return absl::StrCat("all other ports of a ClusterIP of ", ServiceText(explanation["service"]));
  }
  return absl::StrCat(TextAt(frontend, "kind"), " of ", ServiceText(explanation["service"]));
}

std::string PolicyText(const Json& frontend) {
  return frontend["trafficPolicy"] == "Local" ? "Local: endpoints of this node"
                                              : "Cluster: endpoints of all nodes";
}

std::string ForText(const Json& explanation) {
  const Json& frontend = explanation["frontend"];
  if (frontend["hostOnly"].get<bool>()) return "processes of the host alone";
  if (!frontend["checksSource"].get<bool>()) return "all";
  const Json& sources = explanation["sources"];
  return sources.empty() ? "nobody" : JoinedTexts(sources);
}

std::string AffinityText(const Json& explanation) {
  const auto timeout = explanation["affinityTimeoutSeconds"].get<uint64_t>();
  if (timeout == 0) return "none";
  std::string text = absl::StrCat("ClientIP, ", timeout, " s");
  if (explanation["verdict"] != "translated") return text;
  text += "; ";
  if (!explanation["kept"].is_null()) {
    return absl::StrCat(text, "this client has ", AddressAndPortText(explanation["kept"]));
  }
  return text + (explanation["client"]["netnsCookie"].is_null()
                     ? "what this client has, --from-netns would know"
                     : "this client has none and stays with what it gets");
}

// "1 of 3", or why it is not chosen.
std::string FateCell(const Json& endpoint, const Json& kept) {
  const std::string fate = TextAt(endpoint, "fate");
  if (!endpoint["inList"].get<bool>()) return fate.empty() ? "not in the list" : fate;
  if (endpoint["oneOf"].is_null()) return fate.empty() ? "in the list" : fate;
  if (!kept.is_null()) {
    const bool chosen = AddressAndPortText(kept) == AddressAndPortText(endpoint);
    return chosen ? "always: session affinity" : "not while the affinity lasts";
  }
  const std::string chance = absl::StrCat("1 of ", TextAt(endpoint, "oneOf"));
  return fate.empty() || fate == "selected" ? chance : absl::StrCat(chance, ", ", fate);
}

void PrintEndpoints(const Json& explanation, std::ostream& out) {
  const Json& endpoints = explanation["endpoints"];
  if (endpoints.empty()) return PrintLine("Endpoints", "<none>", out);
  out << "Endpoints:\n";
  std::vector<Table::Cells> rows = {{"Address", "Chance", "Node", "EndpointSlice", "Hints"}};
  const bool reasons = !endpoints[0]["slice"].is_null();  // an agent gave them
  rows[0].resize(!reasons ? 2 : HasHints(endpoints) ? 5 : 4);
  for (const Json& endpoint : endpoints) {
    rows.push_back({AddressAndPortText(endpoint), FateCell(endpoint, explanation["kept"]),
                    TextAt(endpoint, "node"), TextAt(endpoint, "slice"),
                    TextAt(endpoint, "hints")});
    rows.back().resize(rows[0].size());
  }
  PrintIndented(rows, out);
  const auto count = explanation["endpointCount"].get<uint64_t>();
  if (count > endpoints.size()) out << "  and " << count - endpoints.size() << " more\n";
}

void PrintFrontend(const Json& explanation, std::ostream& out) {
  const Json& frontend = explanation["frontend"];
  if (frontend.is_null() || frontend["kind"] == "OtherPorts") return;
  PrintLine("Policy", PolicyText(frontend), out);
  PrintLine("For", ForText(explanation), out);
  PrintLine("Affinity", AffinityText(explanation), out);
  if (HasHints(explanation["endpoints"])) PrintLine("Hints", TopologyText(explanation), out);
  PrintEndpoints(explanation, out);
}

// What the process that dials sees.
std::string SeenText(const Json& explanation) {
  const bool udp = explanation["protocol"] == "UDP";
  const std::string call = udp ? "connect() or sendto()" : "connect()";
  const std::string error = TextAt(explanation, "error");
  if (!error.empty()) return absl::StrCat(call, " fails with ", error, " at once");
  if (explanation["verdict"] != "translated") return call + " goes on untouched";
  return absl::StrCat(call, " reaches the backend; ", udp ? "recvfrom()" : "getpeername()",
                      " shows ", AddressAndPortText(explanation));
}

void Print(const Json& explanation, std::ostream& out) {
  PrintLine("Dialled", TargetText(explanation), out);
  PrintLine("Client", ClientText(explanation["client"]), out);
  if (explanation["socketLb"].is_null()) {
    PrintLine("Socket LB", "unknown without an agent; taken for all", out);
  }
  PrintLine("Frontend", FrontendLine(explanation), out);
  PrintFrontend(explanation, out);
  if (explanation["endpoints"].empty() && !explanation["others"].empty()) {
    PrintLine("Also there", JoinedTexts(explanation["others"]), out);
  }
  PrintLine("Verdict",
            absl::StrCat(TextAt(explanation, "verdict"), ": ", TextAt(explanation, "reason")), out);
  PrintLine("Seen", SeenText(explanation), out);
}

}  // namespace

absl::Status ExplainConnect(Session& session) {
  SHUNT_ASSIGN_OR_RETURN(const v1::ExplainConnectRequest request, RequestOf(session.options()));
  SHUNT_ASSIGN_OR_RETURN(Source * source, session.source());
  SHUNT_ASSIGN_OR_RETURN(const v1::ExplainConnectResponse response,
                         source->ExplainConnect(request));
  SHUNT_ASSIGN_OR_RETURN(const Json explanation, ConnectExplanationJson(request, response));
  if (session.options().machine_readable()) {
    PrintObject(explanation, session.options(), session.out());
  } else {
    Print(explanation, session.out());
  }
  return absl::OkStatus();
}

}  // namespace shunt
