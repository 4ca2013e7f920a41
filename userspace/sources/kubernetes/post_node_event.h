// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_POST_NODE_EVENT_H_
#define SHUNT_SOURCES_KUBERNETES_POST_NODE_EVENT_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "userspace/sources/kubernetes/kubernetes_source.h"
#include "userspace/sources/kubernetes/node_event.h"

namespace shunt {

// Tells the API server of an event before the process ends, and so without a
// source, and waits for that no longer than `limit`.
absl::Status PostNodeEvent(const KubernetesSource::Options& options, NodeEvent event,
                           absl::Duration limit);

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_POST_NODE_EVENT_H_
