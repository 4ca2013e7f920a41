// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_PLANNER_ENDPOINT_SELECTION_H_
#define SHUNT_PLANNER_ENDPOINT_SELECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "userspace/model/endpoint_slice.h"
#include "userspace/model/service.h"

namespace shunt {

// Which endpoints of a Service take new connections, and why the others do
// not. The rules are Kubernetes' (README.md has them as a table); everything
// here is a pure function, to be called from any thread.

// The node that traffic starts on or arrives at.
struct NodeContext {
  std::string name;  // lower case, as kube-proxy makes it
  std::string zone;  // label topology.kubernetes.io/zone; "" where unknown
  // Where node ports are served, sorted; loopback among them where it is wanted.
  std::vector<IpAddress> node_port_addresses = {};
  std::vector<IpAddress> addresses = {};  // status.addresses of the Node

  friend bool operator==(const NodeContext&, const NodeContext&) = default;
};

// A service port in one family: what joins it with the ports of EndpointSlices.
struct PortSelector {
  std::string_view name;
  shunt_protocol protocol = SHUNT_TCP;
  Family family = Family::kIpv4;
};

// Which lists the traffic policies of a service port ask for. At least one.
struct ListUse {
  bool cluster = true;
  bool local = false;

  friend bool operator==(const ListUse&, const ListUse&) = default;
};

// Whether what arrives from outside may go to this node's endpoints alone.
bool IsExternalPolicyLocal(const Service& service);

ListUse ListsUsedBy(const Service& service, const ServicePort& port);

// What became of an endpoint in one list.
enum class Fate : uint8_t {
  kSelected,
  kSelectedTerminating,  // it is terminating, but serves, and none is ready
  kListUnused,           // no policy of the Service asks for this list
  kNotReady,
  kTerminating,  // it serves, but is terminating, and others are ready
  kOtherNode,    // the hints keep traffic on this node, and it is hinted elsewhere
  kOtherZone,    // the hints keep traffic in this zone, and it is hinted elsewhere
  kRemote,       // not on this node, in the local list
  kDuplicate,    // another one with this address and port is taken instead
  kWrongFamily,  // its address is not of its slice's family
  kNoRoom,       // more are selected than the maps hold; SelectEndpoints() never says it
};

std::string_view FateText(Fate fate);  // "not ready"

inline bool IsSelected(Fate fate) {
  return fate == Fate::kSelected || fate == Fate::kSelectedTerminating;
}

// An endpoint of a slice at one port. Points into the slices.
struct Candidate {
  const EndpointSlice* slice = nullptr;
  const Endpoint* endpoint = nullptr;
  uint16_t port = 0;  // host byte order
  bool is_local = false;
  Fate cluster = Fate::kListUnused;
  Fate local = Fate::kListUnused;

  bool TakesNewConnections() const { return IsSelected(cluster) || IsSelected(local); }
  // Neither duplicate nor invalid.
  bool IsDistinct() const { return cluster != Fate::kDuplicate && cluster != Fate::kWrongFamily; }
};

// What the hints of the ready endpoints ask for (KEP-4444).
enum class Topology : uint8_t { kNone, kSameZone, kSameNode };

struct EndpointSelection {
  // Every endpoint of a slice that has the port, sorted by address and port; of
  // several with the same address and port the one that counts comes first.
  std::vector<Candidate> candidates;
  Topology topology = Topology::kNone;
  // There is one, on whatever node, that a list could fall back to: an empty
  // local list then drops where it would refuse otherwise.
  bool any_usable = false;
};

// `slices`: those of the Service, in any order. The result points into them.
EndpointSelection SelectEndpoints(absl::Span<const std::shared_ptr<const EndpointSlice>> slices,
                                  const PortSelector& port, const ListUse& use,
                                  const NodeContext& node);

}  // namespace shunt

#endif  // SHUNT_PLANNER_ENDPOINT_SELECTION_H_
