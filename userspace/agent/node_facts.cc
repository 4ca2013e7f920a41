// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/node_facts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/sources/kubernetes/post_node_event.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

constexpr absl::Duration kLastWordLimit = absl::Seconds(3);

constexpr char kStart[] = "StartShunt";
constexpr char kUpdate[] = "UpdateServices";

NodeEvent Failed(std::string reason, const char* action, const absl::Status& why) {
  return {.reason = std::move(reason), .action = action, .note = std::string(why.message())};
}

}  // namespace

NodeEvent Starting() {
  return {.reason = "Starting",
          .action = kStart,
          .note = "shuntd " SHUNT_VERSION " serves the Services of this node",
          .is_warning = false};
}

NodeEvent FailedToStartHealthz(const absl::Status& why) {
  return Failed("FailedToStartProxierHealthcheck", kStart, why);
}

NodeEvent FailedToStartMetrics(const absl::Status& why) {
  return Failed("FailedToStartMetricServer", kStart, why);
}

NodeEvent FailedToStartServiceHealth(const NamespacedName& service, const HttpAddress& address,
                                     const absl::Status& why) {
  NodeEvent event = Failed("FailedToStartServiceHealthcheck", kUpdate, why);
  event.note = absl::StrCat("Service ", service.ToString(), ": health check node port ",
                            address.ToString(), ": ", why.message());
  event.related = {.kind = Kind::kService, .name = service};
  return event;
}

NodeEvent FailedToLoadPrograms(const absl::Status& why) {
  return Failed("FailedToLoadPrograms", kStart, why);
}

NodeEvent FailedToServeDevices(const absl::Status& why) {
  return Failed("FailedToServeDevices", kUpdate, why);
}

NodeEvent MapFull(const PendingService& first, size_t count) {
  return {.reason = "MapFull",
          .action = kUpdate,
          .note = absl::StrCat(first.ToString(), "; ", count,
                               " service ports are not as they should be on this node")};
}

bool WaitsForRoom(const PendingService& service) {
  return absl::IsResourceExhausted(service.reason);
}

void TellBeforeTheEnd(const Options& options, NodeEvent event) {
  if (!options.manifests.empty()) return;
  const absl::Status told = PostNodeEvent(options.kubernetes, std::move(event), kLastWordLimit);
  if (!told.ok()) LogWarning("the API server was not told of it", {{"err", told}});
}

}  // namespace shunt
