// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_MODEL_OBJECT_H_
#define SHUNT_MODEL_OBJECT_H_

#include <compare>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace shunt {

// metadata.namespace and metadata.name. Text form "shop/web".
struct NamespacedName {
  std::string name_space;
  std::string name;

  std::string ToString() const { return name_space + "/" + name; }
  friend auto operator<=>(const NamespacedName&, const NamespacedName&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const NamespacedName& n) {
    return H::combine(std::move(state), n.name_space, n.name);
  }
};

// What every object has and we read.
struct ObjectMeta {
  NamespacedName name;
  // metadata.creationTimestamp; InfinitePast where there is none.
  absl::Time created = absl::InfinitePast();

  friend bool operator==(const ObjectMeta&, const ObjectMeta&) = default;
};

// Something in the cluster's objects that cannot be used. The smallest unit
// (address, endpoint, port, object) is left out; the rest works.
struct Problem {
  std::string object;   // "Service shop/web", "EndpointSlice shop/web-x2x"; "" for a whole file
  std::string origin;   // where it was read, "web.yaml:12"; "" if unknown
  std::string field;    // "spec.ports[1].port"; "" for the object as a whole
  std::string message;  // what is wrong and what was expected

  // "web.yaml:12: Service shop/web: spec.ports[1].port: 70000 is not a port (1 to 65535)"
  std::string ToString() const;
  friend auto operator<=>(const Problem&, const Problem&) = default;
};

using Problems = std::vector<Problem>;

}  // namespace shunt

#endif  // SHUNT_MODEL_OBJECT_H_
