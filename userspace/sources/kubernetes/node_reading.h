// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_NODE_READING_H_
#define SHUNT_SOURCES_KUBERNETES_NODE_READING_H_

#include <initializer_list>
#include <string_view>

#include "absl/status/statusor.h"
#include "userspace/sources/kubernetes/api_object.h"

namespace shunt {

// What both formats have become (YamlNode), read as the API's own objects.

// The text at a path of keys; "" where there is none.
std::string_view TextAt(const YamlNode& node, std::initializer_list<std::string_view> path);

ApiObject ReadObject(const YamlNode& node, Kind kind);
ApiStatus ReadStatus(const YamlNode& node);
absl::StatusOr<WatchEvent::Type> ReadEventType(std::string_view text);
// Whether the object of a bookmark says that all that was there has been told.
bool EndsInitialEvents(const YamlNode& object);
// An object of another kind than the one that was asked for.
ApiObject OfAnotherKind(std::string_view api_version, std::string_view kind,
                        const Resource& resource);

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_NODE_READING_H_
