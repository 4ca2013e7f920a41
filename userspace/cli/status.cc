// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/status.h"

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "userspace/base/text.h"
#include "userspace/cli/command.h"
#include "userspace/cli/listing.h"
#include "userspace/cli/status_json.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

using Programs = absl::StatusOr<std::vector<ProgramInfo>>;

// Seconds are enough for anything that is older than a second.
std::string Rounded(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return "0s";  // the clock was set back
  return absl::FormatDuration(absl::Trunc(
      duration, duration < absl::Seconds(1) ? absl::Microseconds(1) : absl::Seconds(1)));
}

std::string RefusalText(const std::string& refusal) {
  return refusal.empty()
             ? "unknown"
             : absl::StrCat("connect() to a service without endpoints fails with ", refusal);
}

std::string SocketLbText(const std::string& mode) {
  if (mode == "host") return "host: connections of pods are left alone";
  if (mode == "off") return "off: no connection is translated";
  return mode.empty() ? "unknown" : "all processes of the cgroup";
}

// What becomes of sockets whose backend is gone.
std::string SocketEndingText(const AgentStatus& agent) {
  absl::string_view text = agent.socket_ending;
  if (text.empty()) return "unknown";
  if (absl::ConsumePrefix(&text, "off: "))
    return absl::StrCat("their sockets are left alone: ", text);
  absl::ConsumePrefix(&text, "on");
  return absl::StrCat("their UDP sockets are ended (", agent.sockets_ended, " so far)", text);
}

std::string AffinityText(const AffinityCounts& affinity) {
  return absl::StrCat(affinity.entries, " of ", SHUNT_MAX_AFFINITY, " clients, ", affinity.evicted,
                      " evicted");
}

std::string AppliedText(const AgentStatus& agent) {
  if (!agent.last_apply.has_value()) return "not yet";
  return absl::StrCat(Rounded(absl::Now() - *agent.last_apply), " ago, took ",
                      Rounded(agent.last_apply_took), ", generation ", agent.generation);
}

std::string ProgramsText(const Programs& programs) {
  if (!programs.ok()) return absl::StrCat("unknown: ", programs.status().message());
  if (programs->empty()) return "none attached";
  return absl::StrCat(programs->size(), " attached (",
                      absl::StrJoin(*programs, " ",
                                    [](std::string* text, const ProgramInfo& program) {
                                      absl::StrAppend(text, program.hook);
                                    }),
                      ")");
}

// A heading with the count, in colour where it is a bad sign, then the lines.
void PrintList(const char* label, const std::vector<std::string>& lines, uint64_t count,
               const Session& session) {
  if (count == 0) {
    PrintLine(label, "none", session.out());
    return;
  }
  const bool color = session.color();
  session.out() << (color ? "\x1b[31m" : "");
  PrintLine(label, absl::StrCat(count), session.out());
  session.out() << (color ? "\x1b[0m" : "");
  for (const std::string& line : lines) session.out() << "  " << ForTerminal(line) << '\n';
  if (count > lines.size()) session.out() << "  ... " << count - lines.size() << " more\n";
}

void PrintAgent(const AgentStatus& agent, const Session& session) {
  std::ostream& out = session.out();
  PrintLine("Agent",
            absl::StrCat("version ", agent.version, ", up ", Rounded(absl::Now() - agent.started),
                         ", ", agent.synced ? "synced" : "waiting for its sources"),
            out);
  PrintLine("Node", agent.node_name, out);
  PrintLine("Sources", absl::StrJoin(agent.sources, ", "), out);
  PrintLine("Cgroup", agent.cgroup, out);
  PrintLine("Refusal", RefusalText(agent.refusal), out);
  PrintLine("Socket LB", SocketLbText(agent.socket_lb), out);
  PrintLine("Gone pods", SocketEndingText(agent), out);
  PrintLine("Applied", AppliedText(agent), out);
}

void PrintComplaints(const AgentStatus& agent, const Session& session) {
  PrintList("Warnings", agent.warnings, agent.warnings.size(), session);
  PrintList("Pending", agent.pending, agent.pending_count, session);
  std::vector<std::string> problems;
  for (const Problem& problem : agent.problems) problems.push_back(problem.ToString());
  PrintList("Problems", problems, agent.problem_count, session);
}

uint64_t RunsOf(const VerdictCounters& counters, size_t hook) {
  uint64_t runs = 0;
  for (const auto& by_hook : counters) runs += by_hook[hook];
  return runs;
}

uint64_t RunsWith(const std::array<uint64_t, SHUNT_HOOK_COUNT>& by_hook) {
  uint64_t runs = 0;
  for (const uint64_t count : by_hook) runs += count;
  return runs;
}

// A row for each verdict and a column for each hook that was ever reached.
void PrintVerdicts(const VerdictCounters& counters, std::ostream& out) {
  std::vector<size_t> hooks;
  Table::Cells headers = {"  VERDICT"};
  for (size_t hook = 0; hook < SHUNT_HOOK_COUNT; ++hook) {
    if (RunsOf(counters, hook) == 0) continue;
    hooks.push_back(hook);
    headers.push_back(absl::AsciiStrToUpper(HookName(hook)));
  }
  if (hooks.empty()) {
    PrintLine("Verdicts", "none yet", out);
    return;
  }
  std::vector<Table::Cells> rows = {headers};
  for (size_t verdict = 0; verdict < counters.size(); ++verdict) {
    if (RunsWith(counters[verdict]) == 0) continue;
    rows.push_back({"  " + std::string(VerdictName(static_cast<shunt_verdict>(verdict)))});
    for (const size_t hook : hooks) rows.back().push_back(absl::StrCat(counters[verdict][hook]));
  }
  out << "Verdicts:\n";
  Table table;
  for (const Table::Cells& row : rows) table.Measure(row);
  for (const Table::Cells& row : rows) table.Print(row, out);
}

void PrintReport(const StatusReport& report, const Programs& programs, const Session& session) {
  std::ostream& out = session.out();
  if (report.agent.has_value()) {
    PrintAgent(*report.agent, session);
  } else {
    PrintLine("Agent", "not asked: this is what the kernel holds, and goes on serving", out);
  }
  PrintLine("Pins", report.bpffs, out);
  PrintLine("Programs", ProgramsText(programs), out);
  PrintLine("Counts",
            absl::StrCat(report.counts.services, " services, ", report.counts.service_ports,
                         " service ports, ", report.counts.frontends, " frontends, ",
                         report.counts.backends, " backends"),
            out);
  if (report.affinity.has_value()) PrintLine("Affinity", AffinityText(*report.affinity), out);
  if (report.agent.has_value()) PrintComplaints(*report.agent, session);
  if (report.counters_error.empty()) {
    PrintVerdicts(report.counters, out);
  } else {
    PrintLine("Verdicts", absl::StrCat("unknown: ", report.counters_error), out);
  }
}

}  // namespace

absl::Status ShowStatus(Session& session) {
  SHUNT_ASSIGN_OR_RETURN(Source * source, session.source());
  SHUNT_ASSIGN_OR_RETURN(const StatusReport report, source->Status());
  const Programs programs = source->Programs();
  if (session.options().machine_readable()) {
    PrintObject(StatusJson(report, programs), session.options(), session.out());
  } else {
    PrintReport(report, programs, session);
  }
  return absl::OkStatus();
}

}  // namespace shunt
