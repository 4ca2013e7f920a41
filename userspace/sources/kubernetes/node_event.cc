// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/node_event.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

using Json = nlohmann::json;

// Events about what is in no namespace live here.
constexpr char kNamespace[] = "default";
constexpr char kController[] = "shuntd";
// The server's limit, in bytes.
constexpr size_t kLongestNote = 1024;
constexpr int64_t kWindowSeconds = 600;

std::string NameOf(const NodeEvent& event, const std::string& node_name, absl::Time time) {
  return absl::StrCat(node_name, ".", kController, "-", absl::AsciiStrToLower(event.reason), "-",
                      absl::ToUnixSeconds(time) / kWindowSeconds);
}

// By its name as uid, which is how `kubectl describe node` looks for Events.
Json NodeReference(const std::string& name) {
  return {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", name}, {"uid", name}};
}

Json ReferenceTo(const ObjectKey& key) {
  return {{"kind", std::string(KindName(key.kind))},
          {"namespace", key.name.name_space},
          {"name", key.name.name}};
}

}  // namespace

std::string NodeEventJson(const NodeEvent& event, const std::string& node_name, absl::Time time) {
  Json json = {{"apiVersion", "events.k8s.io/v1"},
               {"kind", "Event"},
               {"metadata", {{"name", NameOf(event, node_name, time)}, {"namespace", kNamespace}}},
               {"eventTime", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone())},
               {"reportingController", kController},
               {"reportingInstance", node_name},
               {"regarding", NodeReference(node_name)},
               {"type", event.is_warning ? "Warning" : "Normal"},
               {"reason", event.reason},
               {"action", event.action},
               {"note", event.note.substr(0, kLongestNote)}};
  if (event.related) json["related"] = ReferenceTo(*event.related);
  // A note that ends within a letter ends before it.
  return json.dump(-1, ' ', false, Json::error_handler_t::ignore);
}

}  // namespace shunt
