// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_NODE_EVENT_H_
#define SHUNT_SOURCES_KUBERNETES_NODE_EVENT_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "userspace/model/cluster.h"

namespace shunt {

// Something that happened on this node, and that its administrators are to see in
// `kubectl describe node`. Never what is wrong with an object of the cluster: every
// node would say it.
struct NodeEvent {
  std::string reason;  // "MapFull": one word, by which repetitions are known
  std::string action;  // "UpdateServices": what was being done
  std::string note;    // for people
  bool is_warning = true;
  std::optional<ObjectKey> related;  // an object that it is about, besides the Node
};

// As an events.k8s.io/v1 Event, in JSON. Two of the same node, reason and ten
// minutes have the same name, so that the server refuses the second one, also
// where it comes from a process that was started meanwhile.
std::string NodeEventJson(const NodeEvent& event, const std::string& node_name, absl::Time time);

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_NODE_EVENT_H_
