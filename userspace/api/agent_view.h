// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_AGENT_VIEW_H_
#define SHUNT_API_AGENT_VIEW_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "userspace/datapath/affinity_clients.h"
#include "userspace/datapath/flows.h"
#include "userspace/datapath/inspect.h"
#include "userspace/datapath/sockets.h"
#include "userspace/model/cluster.h"
#include "userspace/model/object.h"
#include "userspace/planner/endpoint_selection.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// What the agent knows at one moment: immutable, made by the control thread on
// demand, read by any number of gRPC handlers.
struct AgentView {
  // Grows by one with each change that was applied; the same number means the
  // same state.
  uint64_t generation = 0;
  std::string version;
  std::string node_name;
  absl::Time started;
  absl::Time last_apply;  // InfinitePast before the first
  absl::Duration last_apply_took;
  bool synced = false;  // every source has listed once, and it is in the kernel
  std::string cgroup;
  std::string bpffs;
  std::string socket_lb;              // whose connections are translated: "all", "host", "off"
  std::string socket_ending;          // "on", or why sockets of gone backends are not ended
  uint64_t sockets_ended = 0;         // since the reaper started
  std::vector<std::string> warnings;  // of the host: what may not work as it seems
  NodeContext node;                   // as it was planned for
  std::string refusal;  // what a refused connect() returns here: "ECONNREFUSED" or "EPERM"
  DatapathState state;
  Problems problems;                 // of all objects, sorted
  std::vector<std::string> pending;  // "shop/web:http: map shunt_frontends is full (262144)"
};

// What probes ask of the agent.
struct AgentHealth {
  bool alive = false;  // the control thread has answered
  bool ready = false;  // traffic is served, by this agent or by what one before it left
};

// Where the gRPC service gets its answers. Thread-safe.
class AgentViewSource {
 public:
  virtual ~AgentViewSource() = default;

  virtual std::shared_ptr<const AgentView> Latest() = 0;
  // Waits until the generation differs from `seen` or `timeout` has passed.
  virtual std::shared_ptr<const AgentView> WaitForChange(uint64_t seen, absl::Duration timeout) = 0;
  // Asks the control thread and waits for it, some seconds at most.
  virtual AgentHealth Health() = 0;
  virtual absl::StatusOr<std::vector<MapInfo>> Maps() = 0;
  virtual absl::StatusOr<std::vector<ProgramInfo>> Programs() = 0;
  virtual absl::StatusOr<VerdictCounters> Counters() = 0;
  virtual absl::StatusOr<AffinityCounts> Affinity() = 0;
  virtual absl::StatusOr<std::vector<AffinityClient>> AffinityClients() = 0;
  // Ids of the cgroups whose processes are left alone.
  virtual absl::StatusOr<std::vector<uint64_t>> OptOuts() = 0;
  virtual absl::StatusOr<std::vector<TranslatedSocket>> Sockets() = 0;
  virtual absl::StatusOr<std::vector<PacketFlow>> Flows() = 0;
  // Where the objects come from, and how it is doing at this moment: "manifests
  // /etc/shunt/manifests".
  virtual std::string Source() = 0;
  // A Service and its slices as they are known now, whether served or not.
  virtual ServiceInput Input(const NamespacedName& name) = 0;
};

}  // namespace shunt

#endif  // SHUNT_API_AGENT_VIEW_H_
