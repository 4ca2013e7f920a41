// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_NODE_FACTS_H_
#define SHUNT_AGENT_NODE_FACTS_H_

#include <string_view>

#include "userspace/agent/options.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/http/http_address.h"
#include "userspace/sources/kubernetes/node_event.h"

namespace shunt {

// What administrators are told of in Events on the Node; reasons are kube-proxy's
// where it has one.
NodeEvent Starting();
// An address of ours is taken, and bindAddressHardFail.
NodeEvent FailedToStartHealthz(const absl::Status& why);
NodeEvent FailedToStartMetrics(const absl::Status& why);
// kube-proxy says this on the Service, with each node that has the trouble.
NodeEvent FailedToStartServiceHealth(const NamespacedName& service, const HttpAddress& address,
                                     const absl::Status& why);
NodeEvent FailedToLoadPrograms(const absl::Status& why);
NodeEvent FailedToServeDevices(const absl::Status& why);
// Service ports wait for room; `first` of `count`.
NodeEvent MapFull(const PendingService& first, size_t count);

// Whether a service port waits for room in a map, or for memory.
bool WaitsForRoom(const PendingService& service);

// Tells the API server, if there is one, before the process ends for this: a few
// seconds at most, in which the kernel goes on serving.
void TellBeforeTheEnd(const Options& options, NodeEvent event);

}  // namespace shunt

#endif  // SHUNT_AGENT_NODE_FACTS_H_
