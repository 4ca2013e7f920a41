// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_FLOWS_H_
#define SHUNT_DATAPATH_FLOWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "shunt/abi.h"
#include "shunt/config.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/sockets.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// What became of a flow of packets. Of UDP only the first two and the last.
enum class FlowState : uint8_t {
  kUnanswered,   // the backend has sent nothing yet
  kEstablished,  // it has
  kClosing,      // one side has ended
  kClosed,       // both have
  kReset,        // one of them has reset the connection
  kStale,        // the backend is gone: the next packet begins another flow
};

std::string_view FlowStateName(FlowState state);  // "Established"
std::optional<FlowState> FlowStateOf(std::string_view name);

// A flow of packets that is translated: all entries of shunt_flows that belong
// to it.
struct PacketFlow {
  ServicePortName service;  // with its protocol; "?/42" where that service port is gone
  SocketEnd client, dialled, backend;
  // As whom the backend sees the client: itself, or an address of this node;
  // nullopt: its first packet has not left for another node yet.
  std::optional<SocketEnd> seen_as;
  FlowState state = FlowState::kUnanswered;
  double idle_s = 0;     // since its last packet, exact to a second
  double expires_s = 0;  // after which it is forgotten, if no packet comes

  friend bool operator==(const PacketFlow&, const PacketFlow&) = default;
};

using FlowEntry = std::pair<shunt_flow_key, shunt_flow>;

// Makes flows of entries: sorted by service port and client, without those that
// have timed out. `now_ns` is of CLOCK_MONOTONIC_COARSE. Reads names and backends
// from `maps`.
absl::StatusOr<std::vector<PacketFlow>> PairFlows(const std::vector<FlowEntry>& entries,
                                                  const MapStore& maps, const shunt_config& config,
                                                  uint64_t now_ns);

// The flows that are pinned in `bpffs`. FailedPrecondition where packets are not
// served; else fails like OpenPinnedMaps(). Thread-safe.
absl::StatusOr<std::vector<PacketFlow>> ReadFlows(const std::string& bpffs);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_FLOWS_H_
