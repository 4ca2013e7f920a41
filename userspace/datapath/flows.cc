// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/flows.h"

#include <algorithm>
#include <array>
#include <memory>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "shunt/flow_timeout.h"
#include "userspace/base/status.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/bpf_batch.h"
#include "userspace/datapath/coarse_clock.h"
#include "userspace/datapath/inspect.h"
#include "userspace/datapath/pins.h"
#include "userspace/datapath/service_name.h"

namespace shunt {
namespace {

// By FlowState.
constexpr std::array<std::string_view, 6> kStates = {"Unanswered", "Established", "Closing",
                                                     "Closed",     "Reset",       "Stale"};

SocketEnd SourceOf(const shunt_flow_key& key) {
  return {.address = ToIpAddress(key.source), .port = key.source_port};
}

SocketEnd DestinationOf(const shunt_flow_key& key) {
  return {.address = ToIpAddress(key.destination), .port = key.destination_port};
}

SocketEnd EndOf(const shunt_peer& peer) {
  return {.address = ToIpAddress(peer.address), .port = peer.port};
}

// Whose flow an entry is of: no two flows have the same ends.
struct Ends {
  SocketEnd client, backend;
  shunt_protocol protocol;

  friend bool operator==(const Ends&, const Ends&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Ends& e) {
    return H::combine(std::move(state), e.client.address, e.client.port, e.backend.address,
                      e.backend.port, e.protocol);
  }
};

// The entries of one flow. abi.h tells how they come in pairs.
struct Entries {
  std::optional<SocketEnd> dialled;  // from the pair of client and backend
  std::optional<SocketEnd> seen_as;  // from the other one, which not every flow has
  bool unbound = false;              // that one has no address yet
  uint32_t state = 0;
  uint64_t last_used_ns = 0;
  uint32_t service_id = 0;
  shunt_backend_ref backend;
};

bool IsAnswer(const shunt_flow& flow) { return (flow.state & SHUNT_FLOW_ANSWER) != 0; }

// In each pair one entry is for packets of the client, and the other for those
// of the backend. That of client and backend translates the client's packets
// where they arrive, the other one where they leave.
bool IsOfClientPair(const FlowEntry& entry) {
  return (entry.first.direction == SHUNT_ARRIVES) != IsAnswer(entry.second);
}

Ends EndsOf(const FlowEntry& entry) {
  const auto& [key, flow] = entry;
  if (key.direction == SHUNT_ARRIVES) {
    return IsAnswer(flow) ? Ends{EndOf(flow.to), SourceOf(key), key.protocol}
                          : Ends{SourceOf(key), EndOf(flow.to), key.protocol};
  }
  return IsAnswer(flow) ? Ends{DestinationOf(key), SourceOf(key), key.protocol}
                        : Ends{SourceOf(key), DestinationOf(key), key.protocol};
}

// The address that stands between the two: what the client dialled, or as whom
// the backend sees the client.
SocketEnd MiddleOf(const FlowEntry& entry) {
  const auto& [key, flow] = entry;
  return key.direction == SHUNT_ARRIVES ? DestinationOf(key) : EndOf(flow.to);
}

void Add(const FlowEntry& entry, Entries& entries) {
  const shunt_flow& flow = entry.second;
  if (!IsOfClientPair(entry)) {
    if (flow.state & SHUNT_FLOW_UNBOUND) {
      entries.unbound = true;
    } else {
      entries.seen_as = MiddleOf(entry);
    }
    return;
  }
  entries.dialled = MiddleOf(entry);
  entries.state |= flow.state;
  entries.last_used_ns = std::max<uint64_t>(entries.last_used_ns, flow.last_used_ns);
  entries.service_id = flow.service_id;
  entries.backend = flow.backend;
}

bool IsThere(const shunt_backend_ref& ref, const MapStore& maps) {
  if (ref.id >= maps.backends().size()) return false;
  const shunt_backend& backend = maps.backends()[ref.id];
  return backend.state != SHUNT_BACKEND_FREE && backend.generation == ref.generation;
}

FlowState StateOf(const Entries& entries, const MapStore& maps) {
  constexpr uint32_t kBothEnd = SHUNT_FLOW_CLIENT_ENDS | SHUNT_FLOW_BACKEND_ENDS;
  if (!IsThere(entries.backend, maps)) return FlowState::kStale;
  if (entries.state & SHUNT_FLOW_RESET) return FlowState::kReset;
  if ((entries.state & kBothEnd) == kBothEnd) return FlowState::kClosed;
  if (entries.state & kBothEnd) return FlowState::kClosing;
  return entries.state & SHUNT_FLOW_ANSWERED ? FlowState::kEstablished : FlowState::kUnanswered;
}

// Names, backends and time: what entries are read with.
struct Context {
  const MapStore& maps;
  const shunt_config& config;
  const ServiceNames names;
  const uint64_t now_ns;
};

ServicePortName NameOf(uint32_t service_id, shunt_protocol protocol, const ServiceNames& names) {
  const auto known = names.find(service_id);
  ServicePortName name = known != names.end() ? known->second : UnknownServiceName(service_id);
  name.protocol = protocol;
  return name;
}

// nullopt: it has timed out, or the table forgot what would tell what was dialled.
std::optional<PacketFlow> FlowOf(const Ends& ends, const Entries& entries, const Context& context) {
  if (!entries.dialled.has_value()) return std::nullopt;
  const uint64_t timeout_ns = shunt_flow_timeout(&context.config, ends.protocol, entries.state);
  const uint64_t idle_ns = IdleNs(context.now_ns, entries.last_used_ns);
  if (idle_ns >= timeout_ns) return std::nullopt;
  PacketFlow flow = {.service = NameOf(entries.service_id, ends.protocol, context.names),
                     .client = ends.client,
                     .dialled = *entries.dialled,
                     .backend = ends.backend,
                     .seen_as = entries.seen_as,
                     .state = StateOf(entries, context.maps),
                     .idle_s = idle_ns / 1e9,
                     .expires_s = (timeout_ns - idle_ns) / 1e9};
  if (!entries.seen_as.has_value() && !entries.unbound) flow.seen_as = ends.client;
  return flow;
}

bool InOrder(const PacketFlow& a, const PacketFlow& b) {
  const auto key = [](const PacketFlow& f) {
    return std::tie(f.service, f.client.address, f.client.port, f.dialled.address, f.dialled.port);
  };
  return key(a) < key(b);
}

}  // namespace

std::string_view FlowStateName(FlowState state) { return kStates[static_cast<size_t>(state)]; }

std::optional<FlowState> FlowStateOf(std::string_view name) {
  const auto found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<FlowState>(found - kStates.begin());
}

absl::StatusOr<std::vector<PacketFlow>> PairFlows(const std::vector<FlowEntry>& entries,
                                                  const MapStore& maps, const shunt_config& config,
                                                  uint64_t now_ns) {
  SHUNT_ASSIGN_OR_RETURN(ServiceNames names, ReadServiceNames(maps));
  const Context context = {maps, config, std::move(names), now_ns};
  absl::flat_hash_map<Ends, Entries> by_ends;
  by_ends.reserve(entries.size() / 2);
  for (const FlowEntry& entry : entries) Add(entry, by_ends[EndsOf(entry)]);
  std::vector<PacketFlow> flows;
  flows.reserve(by_ends.size());
  for (const auto& [ends, of_flow] : by_ends) {
    if (std::optional<PacketFlow> flow = FlowOf(ends, of_flow, context)) {
      flows.push_back(*std::move(flow));
    }
  }
  std::sort(flows.begin(), flows.end(), InOrder);
  return flows;
}

absl::StatusOr<std::vector<PacketFlow>> ReadFlows(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(const std::unique_ptr<MapStore> maps, OpenPinnedMaps(bpffs));
  const absl::StatusOr<UniqueFd> fd = PinDirectory(bpffs).OpenReadOnly("shunt_flows");
  if (absl::IsNotFound(fd.status())) {
    return absl::FailedPreconditionError("packets are not served here (shuntd --packets on)");
  }
  SHUNT_RETURN_IF_ERROR(fd.status());
  SHUNT_ASSIGN_OR_RETURN(const shunt_config config, ReadConfig(bpffs));
  SHUNT_ASSIGN_OR_RETURN(const std::vector<FlowEntry> entries,
                         (ReadHash<shunt_flow_key, shunt_flow>(fd->get())));
  return PairFlows(entries, *maps, config, CoarseNowNs());
}

}  // namespace shunt
