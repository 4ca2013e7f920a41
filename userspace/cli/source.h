// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_SOURCE_H_
#define SHUNT_CLI_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "shunt/v1/shunt.pb.h"
#include "userspace/api/counts.h"
#include "userspace/api/flow_filter.h"
#include "userspace/api/service_filter.h"
#include "userspace/datapath/affinity_clients.h"
#include "userspace/datapath/flows.h"
#include "userspace/datapath/inspect.h"
#include "userspace/datapath/sockets.h"
#include "userspace/model/object.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// What only a running agent can tell.
struct AgentStatus {
  std::string version;
  std::string node_name;
  uint64_t generation = 0;
  absl::Time started;
  std::optional<absl::Time> last_apply;
  absl::Duration last_apply_took;
  bool synced = false;
  std::vector<std::string> sources;
  std::string cgroup;
  std::string refusal;  // "ECONNREFUSED", "EPERM", "" unknown
  Problems problems;    // the first ones of problem_count
  uint64_t problem_count = 0;
  std::vector<std::string> pending;  // likewise
  uint64_t pending_count = 0;
  std::string socket_lb, socket_ending;  // "all"; "on" or why not
  uint64_t sockets_ended = 0;
  std::vector<std::string> warnings;
};

struct StatusReport {
  std::optional<AgentStatus> agent;
  std::string bpffs;
  Counts counts;
  VerdictCounters counters{};
  std::string counters_error;  // why there are none
  std::optional<AffinityCounts> affinity;
};

// Where the commands get what they show: an agent, or the pinned maps alone.
// Used by one thread. Each call ends, with DeadlineExceeded if need be.
class Source {
 public:
  // False: stop.
  using OnState = absl::FunctionRef<bool(const DatapathState& state)>;

  virtual ~Source() = default;

  virtual absl::StatusOr<DatapathState> State(const ServiceFilter& filter) = 0;
  // Calls `on_state` with the state as it is, then whenever it became
  // different, until it returns false or the source fails.
  virtual absl::Status WatchState(const ServiceFilter& filter, OnState on_state) = 0;
  virtual absl::StatusOr<StatusReport> Status() = 0;
  // Those of Services that `filter` matches.
  virtual absl::StatusOr<std::vector<TranslatedSocket>> Sockets(const ServiceFilter& filter) = 0;
  virtual absl::StatusOr<std::vector<PacketFlow>> Flows(const FlowFilter& filter) = 0;
  virtual absl::StatusOr<std::vector<MapInfo>> Maps() = 0;
  virtual absl::StatusOr<std::vector<ProgramInfo>> Programs() = 0;
  // Explanations are shown as they come. That of a Service needs an agent.
  virtual absl::StatusOr<v1::ExplainServiceResponse> ExplainService(const NamespacedName& name) = 0;
  virtual absl::StatusOr<v1::ExplainConnectResponse> ExplainConnect(
      const v1::ExplainConnectRequest& request) = 0;
  virtual absl::StatusOr<std::vector<AffinityClient>> AffinityClients(
      const ServiceFilter& filter) = 0;
};

// The agent that listens on `socket`. `timeout` is for its first answer and
// between two messages of a long one.
std::unique_ptr<Source> MakeAgentSource(const std::string& socket, absl::Duration timeout);

// That the agent answers says that it lives. OK: it is ready as well,
// FailedPrecondition: not yet.
absl::Status AskWhetherReady(const std::string& socket, absl::Duration timeout);

// What is pinned in `bpffs`.
std::unique_ptr<Source> MakeMapsSource(const std::string& bpffs);

}  // namespace shunt

#endif  // SHUNT_CLI_SOURCE_H_
