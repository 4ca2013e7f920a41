// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/status_json.h"

#include <array>
#include <string>
#include <utility>

#include "userspace/cli/program_json.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

Json ProblemsJson(const Problems& problems) {
  Json array = Json::array();
  for (const Problem& problem : problems) {
    array.push_back({{"object", problem.object},
                     {"origin", problem.origin},
                     {"field", problem.field},
                     {"message", problem.message}});
  }
  return array;
}

Json AgentJson(const AgentStatus& agent) {
  return {{"version", agent.version},
          {"node", agent.node_name},
          {"started", Rfc3339(agent.started)},
          {"synced", agent.synced},
          {"generation", agent.generation},
          {"lastApply", agent.last_apply.has_value() ? Json(Rfc3339(*agent.last_apply)) : Json()},
          {"lastApplyTookNs", absl::ToInt64Nanoseconds(agent.last_apply_took)},
          {"sources", agent.sources},
          {"cgroup", agent.cgroup},
          {"refusal", agent.refusal.empty() ? Json() : Json(agent.refusal)},
          {"problemCount", agent.problem_count},
          {"problems", ProblemsJson(agent.problems)},
          {"pendingCount", agent.pending_count},
          {"pending", agent.pending},
          {"socketLB", agent.socket_lb},
          {"socketEnding", agent.socket_ending},
          {"socketsEnded", agent.sockets_ended},
          {"warnings", agent.warnings}};
}

Json VerdictsJson(const VerdictCounters& counters) {
  Json array = Json::array();
  for (size_t verdict = 0; verdict < counters.size(); ++verdict) {
    for (size_t hook = 0; hook < counters[verdict].size(); ++hook) {
      if (counters[verdict][hook] == 0) continue;
      const std::string name(VerdictName(static_cast<shunt_verdict>(verdict)));
      array.push_back(
          {{"verdict", name}, {"hook", HookName(hook)}, {"runs", counters[verdict][hook]}});
    }
  }
  return array;
}

}  // namespace

const char* HookName(size_t hook) {
  static constexpr std::array<const char*, SHUNT_HOOK_COUNT> kNames = {
      "connect4", "connect6",     "sendmsg4",     "sendmsg6", "recvmsg4",
      "recvmsg6", "getpeername4", "getpeername6", "ingress",  "egress"};
  return kNames[hook];
}

Json StatusJson(const StatusReport& report,
                const absl::StatusOr<std::vector<ProgramInfo>>& programs) {
  Json program_array = Json::array();
  if (programs.ok()) {
    for (const ProgramInfo& program : *programs) program_array.push_back(ProgramJson(program));
  }
  Json errors = Json::array();
  if (!programs.ok()) errors.push_back(std::string(programs.status().message()));
  if (!report.counters_error.empty()) errors.push_back(report.counters_error);
  return {{"apiVersion", kApiVersion},
          {"kind", "Status"},
          {"source", report.agent.has_value() ? "agent" : "maps"},
          {"agent", report.agent.has_value() ? AgentJson(*report.agent) : Json()},
          {"bpffs", report.bpffs},
          {"counts",
           {{"services", report.counts.services},
            {"servicePorts", report.counts.service_ports},
            {"frontends", report.counts.frontends},
            {"backends", report.counts.backends}}},
          {"affinity", report.affinity.has_value() ? Json{{"entries", report.affinity->entries},
                                                          {"evicted", report.affinity->evicted}}
                                                   : Json()},
          {"programs", std::move(program_array)},
          {"verdicts", VerdictsJson(report.counters)},
          {"errors", std::move(errors)}};
}

}  // namespace shunt
