// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_API_OBJECT_H_
#define SHUNT_SOURCES_KUBERNETES_API_OBJECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/model/cluster.h"
#include "userspace/sources/manifests/decoders.h"

namespace shunt {

// One of the collections that are followed.
struct Resource {
  Kind kind = Kind::kService;
  std::string_view api_version;  // of its objects: "v1", "discovery.k8s.io/v1"
  std::string path;              // "/api/v1/services"
  // Which of its objects; "" for all.
  std::string label_selector;
  std::string field_selector;
};

// An object as the API server sent it.
struct ApiObject {
  std::optional<DecodedObject> decoded;  // nullopt: nobody can say which object it is
  std::string resource_version;
  Problems problems;
};

// A v1 Status, or an answer that should have been one.
struct ApiStatus {
  int code = 0;  // HTTP's, 0 where there is none
  std::string reason;
  std::string message;
  bool version_too_large = false;  // the server does not know that resourceVersion yet
  int64_t retry_after_s = 0;       // 0: it does not say

  bool IsExpired() const { return code == 410 || reason == "Expired" || reason == "Gone"; }
};

struct WatchEvent {
  enum class Type : uint8_t { kAdded, kModified, kDeleted, kBookmark, kError };

  Type type = Type::kAdded;
  ApiObject object;                  // of a bookmark its resource_version only
  bool ends_initial_events = false;  // a bookmark: all that was there has been told
  ApiStatus status;                  // of kError
};

struct ListMeta {
  std::string resource_version;
  std::string continue_token;  // "" on the last page
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_API_OBJECT_H_
