// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_DECODERS_H_
#define SHUNT_SOURCES_MANIFESTS_DECODERS_H_

#include <memory>
#include <optional>

#include "userspace/model/cluster.h"
#include "userspace/sources/manifests/value.h"

namespace shunt {

// From a manifest, or what the API server sent, to the model, one function for each kind (each in
// its own file). What cannot be used is left out and reported to the value's reporter; if that is
// the object as a whole, the reporter says rejected() and the result means nothing.

// metadata.namespace and .name: a namespaced object without a namespace is in
// "default". nullopt: there is no valid name, so nobody can say which object it
// is.
std::optional<NamespacedName> DecodeName(const Value& object, Kind kind);
// The rest of metadata, but for labels and annotations.
ObjectMeta DecodeMeta(const Value& object, NamespacedName name);

Service DecodeService(const Value& object, ObjectMeta meta);
// nullopt: valid, and of no concern to a load balancer (of addressType FQDN, of
// a headless Service, of no Service).
std::optional<EndpointSlice> DecodeEndpointSlice(const Value& object, ObjectMeta meta);
Node DecodeNode(const Value& object, ObjectMeta meta);

// An object that has a name.
struct DecodedObject {
  enum class Fate {
    kUsable,
    kOfNoConcern,  // valid, and nothing that a load balancer reads: as if it were not there
    kUnusable,     // there, and wrong as a whole: what it last said goes on to count
  };

  ObjectKey key;
  Fate fate = Fate::kUsable;
  std::shared_ptr<const Object> object;  // null unless it is usable
};

// Any kind, with what the functions above do for it. nullopt: it has no valid
// name, so nobody can say which object it is.
std::optional<DecodedObject> DecodeObject(const YamlNode& node, Kind kind, ProblemReporter& report);

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_DECODERS_H_
