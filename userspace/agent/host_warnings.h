// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_HOST_WARNINGS_H_
#define SHUNT_AGENT_HOST_WARNINGS_H_

#include <string>
#include <vector>

#include "userspace/sources/netlink/address_watch.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// What of the host may keep Services from working as they seem to: a ClusterIP
// that is an address of the host, where somebody else answers or used to; a DNS
// cache of the node. Sorted by address. Pure.
std::vector<std::string> HostWarnings(const DatapathState& state, const HostAddresses& host);

}  // namespace shunt

#endif  // SHUNT_AGENT_HOST_WARNINGS_H_
