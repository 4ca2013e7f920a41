// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_STATE_DATAPATH_STATE_H_
#define SHUNT_STATE_DATAPATH_STATE_H_

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "shunt/abi.h"
#include "userspace/base/ip_address.h"

namespace shunt {

// Desired or actual state of the datapath, as a value: which frontends there
// are and which backends stand behind each. It knows no Kubernetes object (the
// planner does) and no id or slot (the reconciler does): a service port is
// known by its name, a backend by its address.

// "TCP", "UDP", "SCTP"; "protocol-1" for what only a map can hold.
std::string ProtocolText(shunt_protocol protocol);

// Whose traffic it is. Text forms "shop/web:http" and, with an unnamed port,
// "shop/web".
struct ServicePortName {
  std::string name_space;
  std::string name;
  std::string port;  // "" where unnamed
  shunt_protocol protocol = SHUNT_TCP;

  std::string ToString() const;
  friend auto operator<=>(const ServicePortName&, const ServicePortName&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const ServicePortName& n) {
    return H::combine(std::move(state), n.name_space, n.name, n.port, n.protocol);
  }
};

// What a client dials. `port` is in host byte order.
struct FrontendKey {
  IpAddress address;
  uint16_t port = 0;
  shunt_protocol protocol = SHUNT_TCP;
  shunt_scope scope = SHUNT_SCOPE_NODE;

  // "10.96.0.10:80/TCP", "[fd00::1]:80/TCP", "192.0.2.1:80/TCP from outside"; for
  // all other ports of a ClusterIP "10.96.0.10:*".
  std::string ToString() const;
  shunt_frontend_key ToAbi() const;
  static FrontendKey FromAbi(const shunt_frontend_key& key);
  friend auto operator<=>(const FrontendKey&, const FrontendKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const FrontendKey& k) {
    return H::combine(std::move(state), k.address, k.port, k.protocol, k.scope);
  }
};

// A service port has two lists, made by its traffic policies.
enum class BackendList : uint8_t { kCluster = 0, kLocal = 1 };

// A backend of one service port. It may stand in both lists or in none: one
// that takes no new connections stays as long as it may serve those it has.
struct Backend {
  IpAddress address;
  uint16_t port = 0;          // host byte order
  bool on_this_node = false;  // what it answers passes this node, wherever it goes
  bool in_cluster_list = false;
  bool in_local_list = false;

  bool In(BackendList list) const {
    return list == BackendList::kCluster ? in_cluster_list : in_local_list;
  }
  std::string ToString() const { return AddressAndPort(address, port); }
  friend auto operator<=>(const Backend&, const Backend&) = default;
};

struct Frontend {
  FrontendKey key;
  shunt_frontend_kind kind = SHUNT_CLUSTER_IP;
  BackendList list = BackendList::kCluster;
  shunt_index_rule index_rule = SHUNT_INDEX_RANDOM;
  shunt_verdict when_empty = SHUNT_NO_ENDPOINT;  // the verdict while the list is empty
  bool checks_source = false;                    // only ServicePortState::sources may dial it
  bool host_only = false;                        // only from the host's network namespace

  // Whether `backend` stands in the list of this frontend.
  bool Chooses(const Backend& backend) const {
    return kind != SHUNT_OTHER_PORTS && backend.In(list) &&
           backend.address.family() == key.address.family();
  }
  friend auto operator<=>(const Frontend&, const Frontend&) = default;
};

// All of one service port. Both vectors are sorted and without duplicates: the
// backends by address and port, in one family with their frontends' addresses
// or in both (a dual-stack Service): a frontend's list is the backends of its
// own family.
struct ServicePortState {
  std::vector<Frontend> frontends;
  std::vector<Backend> backends;
  // Who may dial the frontends that check the source: sorted, no duplicates.
  std::vector<Cidr> sources;
  uint32_t affinity_timeout_s = 0;  // sessionAffinity ClientIP; 0: none
  bool ends_tcp = false;            // TCP connections end when their backend goes

  // The backends that `frontend` may choose from, in order.
  std::vector<Backend> ListOf(const Frontend& frontend) const;
  friend bool operator==(const ServicePortState&, const ServicePortState&) = default;
};

using ServicePortStatePtr = std::shared_ptr<const ServicePortState>;  // immutable, shared

// Every service port, by name. No frontend key stands in two of them.
using DatapathState = absl::btree_map<ServicePortName, ServicePortStatePtr>;

// What became different. `complete`: a service port that is not named is gone.
struct StateChanges {
  absl::btree_map<ServicePortName, ServicePortStatePtr> changed;  // null: gone
  bool complete = false;
};

}  // namespace shunt

#endif  // SHUNT_STATE_DATAPATH_STATE_H_
