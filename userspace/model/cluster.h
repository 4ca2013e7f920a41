// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_MODEL_CLUSTER_H_
#define SHUNT_MODEL_CLUSTER_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "userspace/model/endpoint_slice.h"
#include "userspace/model/node.h"
#include "userspace/model/object.h"
#include "userspace/model/service.h"

namespace shunt {

enum class Kind : uint8_t { kService, kEndpointSlice, kNode };

std::string_view KindName(Kind kind);  // "Service", "EndpointSlice", "Node"

// Which object: its kind and name.
struct ObjectKey {
  Kind kind = Kind::kService;
  NamespacedName name;

  std::string ToString() const;  // "Service shop/web", "Node node-a"
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const ObjectKey& key) {
    return H::combine(std::move(state), key.kind, key.name);
  }
};

using Object = std::variant<Service, EndpointSlice, Node>;

ObjectKey KeyOf(const Object& object);

// What a source says of one object: its new state, or that it is gone. The
// object is immutable from here on: whoever keeps it shares this one copy.
struct ObjectChange {
  ObjectKey key;
  std::shared_ptr<const Object> object;  // null: gone
};

// A Service with its slices, in the order of their names: all that decides
// where its traffic goes. Immutable and shared.
struct ServiceInput {
  std::shared_ptr<const Service> service;  // null: there is none (any more)
  std::vector<std::shared_ptr<const EndpointSlice>> slices;
};

// What changed since the last time: the unit of work of the control thread.
struct ClusterChanges {
  absl::btree_map<NamespacedName, ServiceInput> services;
  bool node_changed = false;
  std::shared_ptr<const Node> node;  // null: unknown; set whether changed or not

  bool empty() const { return services.empty() && !node_changed; }
};

// The whole cluster at one moment.
using ClusterSnapshot = ClusterChanges;

}  // namespace shunt

#endif  // SHUNT_MODEL_CLUSTER_H_
