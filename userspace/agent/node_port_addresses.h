// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_NODE_PORT_ADDRESSES_H_
#define SHUNT_AGENT_NODE_PORT_ADDRESSES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/base/ip_address.h"
#include "userspace/model/node.h"

namespace shunt {

// Which of the host's addresses node ports are served at: kube-proxy's
// nodePortAddresses and localhostNodePorts (semantics of its iptables mode).
struct NodePortAddressRule {
  bool primary = false;      // those of the Node object alone
  std::vector<Cidr> ranges;  // those in one of these; a family without any: all of it
  bool localhost = true;     // 127.0.0.1 and ::1 too, unless the ranges leave them out
};

// "primary" alone, or CIDRs; nothing means all addresses. InvalidArgument names
// what is wrong.
absl::StatusOr<NodePortAddressRule> ParseNodePortAddresses(const std::vector<std::string>& words);

// `node`: null where it is not known. Pure.
std::vector<IpAddress> NodePortAddresses(const NodePortAddressRule& rule,
                                         const std::vector<IpAddress>& host, const Node* node);

}  // namespace shunt

#endif  // SHUNT_AGENT_NODE_PORT_ADDRESSES_H_
