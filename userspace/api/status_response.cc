// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/status_response.h"

#include <google/protobuf/util/time_util.h>

#include <string>

#include "userspace/api/counts.h"
#include "userspace/api/proto_state.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

// Of problems, and again of what is pending: a thousand broken objects must not
// make the answer bigger than a client takes (4 MiB).
constexpr size_t kTextLimit = 1 << 20;

using google::protobuf::util::TimeUtil;

void SetIdentity(const AgentView& view, v1::GetStatusResponse& response) {
  response.set_version(ToUtf8(view.version));
  response.set_node_name(ToUtf8(view.node_name));
  response.set_cgroup(ToUtf8(view.cgroup));
  response.set_bpffs(ToUtf8(view.bpffs));
  const v1::Refusal refusal = RefusalToProto(view.refusal);
  if (refusal != v1::REFUSAL_UNSPECIFIED) response.mutable_features()->set_refusal(refusal);
}

void SetHost(const AgentView& view, v1::GetStatusResponse& response) {
  response.set_socket_lb(view.socket_lb);
  response.set_socket_ending(ToUtf8(view.socket_ending));
  response.set_sockets_ended(view.sockets_ended);
  for (const std::string& warning : view.warnings) response.add_warnings(ToUtf8(warning));
}

void SetProgress(const AgentView& view, v1::GetStatusResponse& response) {
  response.set_generation(view.generation);
  response.set_synced(view.synced);
  *response.mutable_started() = TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(view.started));
  if (view.last_apply == absl::InfinitePast()) return;
  *response.mutable_last_apply() =
      TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(view.last_apply));
  *response.mutable_last_apply_took() =
      TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(view.last_apply_took));
}

void SetCounts(const DatapathState& state, v1::GetStatusResponse& response) {
  const Counts counts = CountsOf(state);
  v1::Counts& proto = *response.mutable_counts();
  proto.set_services(counts.services);
  proto.set_service_ports(counts.service_ports);
  proto.set_frontends(counts.frontends);
  proto.set_backends(counts.backends);
}

void AddProblems(const Problems& problems, v1::GetStatusResponse& response) {
  response.set_problem_count(problems.size());
  size_t bytes = 0;
  for (const Problem& problem : problems) {
    v1::Problem proto = ToProto(problem);
    bytes += proto.ByteSizeLong();
    if (bytes > kTextLimit) return;
    *response.add_problems() = std::move(proto);
  }
}

void AddPending(const std::vector<std::string>& pending, v1::GetStatusResponse& response) {
  response.set_pending_count(pending.size());
  size_t bytes = 0;
  for (const std::string& line : pending) {
    std::string text = ToUtf8(line);
    bytes += text.size();
    if (bytes > kTextLimit) return;
    response.add_pending(std::move(text));
  }
}

}  // namespace

v1::GetStatusResponse StatusResponse(const AgentView& view,
                                     const absl::StatusOr<VerdictCounters>& counters,
                                     const absl::StatusOr<AffinityCounts>& affinity) {
  v1::GetStatusResponse response;
  SetIdentity(view, response);
  SetHost(view, response);
  if (affinity.ok()) {
    response.mutable_affinity()->set_entries(affinity->entries);
    response.mutable_affinity()->set_evicted(affinity->evicted);
  }
  SetProgress(view, response);
  SetCounts(view.state, response);
  AddProblems(view.problems, response);
  AddPending(view.pending, response);
  if (counters.ok()) {
    AddCounters(*counters, response);
  } else {
    response.set_counters_error(ToUtf8(std::string(counters.status().message())));
  }
  return response;
}

}  // namespace shunt
