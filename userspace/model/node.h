// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_MODEL_NODE_H_
#define SHUNT_MODEL_NODE_H_

#include <string>
#include <vector>

#include "userspace/base/ip_address.h"
#include "userspace/model/object.h"

namespace shunt {

// A v1 Node. Cluster-scoped: meta.name.name_space is empty.
struct Node {
  ObjectMeta meta;
  std::vector<IpAddress> addresses;  // status.addresses, InternalIP before ExternalIP
  std::string zone;                  // label topology.kubernetes.io/zone, "" without
  std::vector<Cidr> pod_cidrs;       // spec.podCIDRs
  // metadata.deletionTimestamp is set, or the cluster autoscaler's taint: load
  // balancers outside are to send no more.
  bool being_removed = false;

  friend bool operator==(const Node&, const Node&) = default;
};

}  // namespace shunt

#endif  // SHUNT_MODEL_NODE_H_
