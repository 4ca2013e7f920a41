// SPDX-License-Identifier: Apache-2.0
#include <net/if.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "userspace/api/explain_connect.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"
#include "userspace/cli/command.h"
#include "userspace/cli/listing.h"
#include "userspace/cli/state_json.h"
#include "userspace/cli/target.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

// A packet that arrives, and what decides its fate.
struct Question {
  SocketEnd from;
  FrontendKey to;
};

struct Answer {
  std::string device;              // "" where none was named
  std::string why_not_looked_at;   // "" where its packets are
  std::optional<PacketFlow> flow;  // the one that it belongs to
  Trace trace;                     // of a packet that begins one
  std::vector<Cidr> sources;       // who may dial a frontend that checks it
};

// --- The question

absl::StatusOr<Question> QuestionOf(const Options& options) {
  SHUNT_ASSIGN_OR_RETURN(const FrontendKey from, ParseTarget(options.from));
  Question question = {.from = {from.address, from.port}};
  SHUNT_ASSIGN_OR_RETURN(question.to, ParseTarget(options.target));
  question.to.scope = SHUNT_SCOPE_OUTSIDE;
  if (from.address.family() != question.to.address.family()) {
    return absl::InvalidArgumentError("FROM and TO are addresses of different families");
  }
  return question;
}

// --- The answer

// Where the device is, the pinned maps are: they are read, whoever answers the rest.
absl::StatusOr<std::string> WhyNotLookedAt(const Options& options) {
  if (if_nametoindex(options.device.c_str()) == 0) {
    return absl::NotFoundError(absl::StrCat("there is no device ", Quoted(options.device)));
  }
  SHUNT_ASSIGN_OR_RETURN(const std::vector<std::string> devices, ReadServedDevices(options.bpffs));
  if (std::find(devices.begin(), devices.end(), options.device) != devices.end()) return "";
  return absl::StrCat("packets at ", options.device, " are not looked at, only those at ",
                      devices.empty() ? "none" : absl::StrJoin(devices, ", "));
}

// What of the flows has just these ends. Of a stale one the next packet is the
// first of another.
std::optional<PacketFlow> FlowOf(const Question& question, const std::vector<PacketFlow>& flows) {
  for (const PacketFlow& flow : flows) {
    if (flow.client == question.from && flow.dialled.address == question.to.address &&
        flow.dialled.port == question.to.port && flow.state != FlowState::kStale) {
      return flow;
    }
  }
  return std::nullopt;
}

std::optional<LastBackend> LastOf(const IpAddress& client, const ServicePortName& service,
                                  const std::vector<AffinityClient>& all) {
  for (const AffinityClient& entry : all) {
    if (entry.netns_cookie == 0 && entry.address == client && entry.service == service &&
        entry.backend.has_value()) {
      return LastBackend{entry.backend->address, entry.backend->port, entry.idle_s};
    }
  }
  return std::nullopt;
}

absl::StatusOr<Trace> TraceOf(const Question& question, const DatapathState& state,
                              Source& source) {
  TraceClient client = {.source = question.from.address};
  Trace trace = TracePacket(state, question.from.port, question.to, client);
  if (trace.affinity_timeout_s == 0) return trace;
  SHUNT_ASSIGN_OR_RETURN(const std::vector<AffinityClient> affinity,
                         source.AffinityClients({trace.service.name_space, trace.service.name}));
  client.last = LastOf(question.from.address, trace.service, affinity);
  return TracePacket(state, question.from.port, question.to, client);
}

absl::StatusOr<Answer> AnswerTo(const Question& question, const Options& options, Source& source) {
  Answer answer = {.device = options.device};
  if (!options.device.empty()) {
    SHUNT_ASSIGN_OR_RETURN(answer.why_not_looked_at, WhyNotLookedAt(options));
  }
  const absl::StatusOr<std::vector<PacketFlow>> flows =
      source.Flows({.address = Cidr::Of(question.from.address), .protocol = question.to.protocol});
  if (absl::IsFailedPrecondition(flows.status())) {
    answer.why_not_looked_at = std::string(flows.status().message());
  } else {
    SHUNT_RETURN_IF_ERROR(flows.status());
    answer.flow = FlowOf(question, *flows);
  }
  SHUNT_ASSIGN_OR_RETURN(const DatapathState state, source.State(ServiceFilter()));
  SHUNT_ASSIGN_OR_RETURN(answer.trace, TraceOf(question, state, source));
  if (answer.trace.frontend.has_value() && answer.trace.frontend->checks_source) {
    answer.sources = state.at(answer.trace.service)->sources;
  }
  return answer;
}

// --- In words

std::string ReasonText(const Question& question, const Trace& trace) {
  switch (trace.step) {
    case TraceStep::kMartian:
      return absl::StrCat("nobody can be answered at ", question.from.ToString());
    case TraceStep::kHostOnly:
      return "a loopback node port is for the host alone";
    case TraceStep::kSource:
      return absl::StrCat("loadBalancerSourceRanges does not name ",
                          question.from.address.ToString());
    case TraceStep::kList:
      return ListText(trace, question.to);
    default:
      return absl::StrCat("no Service that is served here has ",
                          AddressAndPort(question.to.address, question.to.port), "/",
                          ProtocolText(question.to.protocol));
  }
}

std::string FateText(shunt_verdict verdict) {
  switch (verdict) {
    case SHUNT_TRANSLATED:
    case SHUNT_CONTINUED:
      return "it goes on to the backend; what that answers comes from whom the client dialled";
    case SHUNT_NO_ENDPOINT:
    case SHUNT_NO_PORT:
      return "an ICMP port unreachable goes back: the client sees \"connection refused\"";
    case SHUNT_NOT_A_SERVICE:
      return "it goes on untouched, to the stack and its filters";
    default:
      return "it is dropped: the client waits until it gives up";
  }
}

// As whom the backend sees the client: answers of a pod elsewhere, and of one that
// reaches itself, would not come this way otherwise.
std::string SeenAsText(const Question& question, const Backend& backend) {
  return backend.on_this_node && backend.address != question.from.address
             ? question.from.ToString()
             : "an address of this node";
}

Json BackendsJson(const Question& question, const Trace& trace) {
  Json backends = Json::array();
  for (const Backend& backend : trace.candidates) {
    const bool chosen = !trace.kept.has_value() || *trace.kept == backend;
    backends.push_back(
        {{"address", backend.address.ToString()},
         {"port", backend.port},
         {"onThisNode", backend.on_this_node},
         {"oneOf", !chosen ? Json() : Json(trace.kept ? 1 : trace.candidates.size())},
         {"seenAs", SeenAsText(question, backend)}});
  }
  return backends;
}

Json FlowJson(const std::optional<PacketFlow>& flow) {
  if (!flow.has_value()) return Json();
  return {{"state", FlowStateName(flow->state)},
          {"backend", flow->backend.ToString()},
          {"seenAs", flow->seen_as ? Json(flow->seen_as->ToString()) : Json()}};
}

Json TextsOf(const std::vector<Cidr>& ranges) {
  Json texts = Json::array();
  for (const Cidr& range : ranges) texts.push_back(range.ToString());
  return texts;
}

struct Fate {
  shunt_verdict verdict;
  std::string reason;
};

Fate FateOf(const Question& question, const Answer& answer) {
  if (!answer.why_not_looked_at.empty()) return {SHUNT_NOT_A_SERVICE, answer.why_not_looked_at};
  if (answer.flow.has_value()) return {SHUNT_CONTINUED, "its flow has a backend"};
  return {answer.trace.verdict, ReasonText(question, answer.trace)};
}

Json PacketExplanationJson(const Question& question, const Answer& answer) {
  const Trace& trace = answer.trace;
  const Fate fate = FateOf(question, answer);
  const bool known = trace.frontend.has_value();
  return {{"apiVersion", "shunt.v1"},
          {"kind", "PacketExplanation"},
          {"from", question.from.ToString()},
          {"to", AddressAndPort(question.to.address, question.to.port)},
          {"protocol", ProtocolText(question.to.protocol)},
          {"device", answer.device.empty() ? Json() : Json(answer.device)},
          {"flow", FlowJson(answer.flow)},
          {"service", known ? Json(trace.service.ToString()) : Json()},
          {"frontend", known ? FrontendJson(*trace.frontend, trace.candidates.size()) : Json()},
          {"sources", TextsOf(answer.sources)},
          {"affinityTimeoutSeconds", trace.affinity_timeout_s},
          {"kept", trace.kept ? Json(trace.kept->ToString()) : Json()},
          {"backends", BackendsJson(question, trace)},
          {"verdict", std::string(VerdictName(fate.verdict))},
          {"reason", fate.reason},
          {"fate", FateText(fate.verdict)}};
}

std::string FlowLine(const Json& flow) {
  if (flow.is_null()) return "none: it begins one";
  const std::string seen_as = TextAt(flow, "seenAs");
  return absl::StrCat(TextAt(flow, "state"), ", to ", TextAt(flow, "backend"),
                      seen_as.empty() ? "" : ", which sees " + seen_as);
}

std::string ForLine(const Json& explanation) {
  if (!explanation["frontend"]["checksSource"].get<bool>()) return "all";
  const Json& sources = explanation["sources"];
  return sources.empty() ? "nobody" : JoinedTexts(sources);
}

std::string AffinityLine(const Json& explanation) {
  const auto timeout = explanation["affinityTimeoutSeconds"].get<uint64_t>();
  if (timeout == 0) return "none";
  const std::string kept = TextAt(explanation, "kept");
  return absl::StrCat("ClientIP, ", timeout, " s; this client has ", kept.empty() ? "none" : kept);
}

void PrintBackends(const Json& backends, std::ostream& out) {
  if (backends.empty()) return;
  out << "Backends:\n";
  std::vector<Table::Cells> rows = {{"Address", "Chance", "Sees"}};
  for (const Json& backend : backends) {
    const std::string one_of = TextAt(backend, "oneOf");
    rows.push_back({AddressAndPortText(backend),
                    one_of.empty() ? "not while the affinity lasts" : "1 of " + one_of,
                    TextAt(backend, "seenAs")});
  }
  PrintIndented(rows, out);
}

void PrintFrontend(const Json& explanation, std::ostream& out) {
  const Json& frontend = explanation["frontend"];
  if (frontend.is_null()) return PrintLine("Frontend", "none", out);
  const std::string kind = TextAt(frontend, "kind");
  const bool others = kind == "OtherPorts";
  PrintLine("Frontend",
            absl::StrCat(others ? "all other ports of a ClusterIP" : kind, " of ",
                         TextAt(explanation, "service")),
            out);
  if (others) return;
  PrintLine("Policy", TextAt(frontend, "trafficPolicy"), out);
  PrintLine("For", ForLine(explanation), out);
  PrintLine("Affinity", AffinityLine(explanation), out);
  PrintBackends(explanation["backends"], out);
}

void Print(const Json& explanation, std::ostream& out) {
  PrintLine("Packet",
            absl::StrCat(TextAt(explanation, "from"), " to ", TextAt(explanation, "to"), "/",
                         TextAt(explanation, "protocol")),
            out);
  if (!explanation["device"].is_null()) PrintLine("Device", TextAt(explanation, "device"), out);
  PrintLine("Flow", FlowLine(explanation["flow"]), out);
  if (explanation["flow"].is_null()) PrintFrontend(explanation, out);
  PrintLine("Verdict",
            absl::StrCat(TextAt(explanation, "verdict"), ": ", TextAt(explanation, "reason")), out);
  PrintLine("Fate", TextAt(explanation, "fate"), out);
}

}  // namespace

absl::Status ExplainPacket(Session& session) {
  const Options& options = session.options();
  SHUNT_ASSIGN_OR_RETURN(const Question question, QuestionOf(options));
  SHUNT_ASSIGN_OR_RETURN(Source * source, session.source());
  SHUNT_ASSIGN_OR_RETURN(const Answer answer, AnswerTo(question, options, *source));
  const Json explanation = PacketExplanationJson(question, answer);
  if (options.machine_readable()) {
    PrintObject(explanation, options, session.out());
  } else {
    Print(explanation, session.out());
  }
  return absl::OkStatus();
}

}  // namespace shunt
