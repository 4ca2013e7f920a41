// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_DECODERS_H_
#define SHUNT_SOURCES_MANIFESTS_DECODERS_H_

#include <optional>

#include "userspace/model/cluster.h"
#include "userspace/sources/manifests/value.h"

namespace shunt {

// From a manifest to the model, one function for each kind (each in its own
// file). What cannot be used is left out and reported to the value's reporter;
// if that is the object as a whole, the reporter says rejected() and the result
// means nothing.

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

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_DECODERS_H_
