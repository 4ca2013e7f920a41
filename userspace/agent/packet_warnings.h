// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_PACKET_WARNINGS_H_
#define SHUNT_AGENT_PACKET_WARNINGS_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "userspace/datapath/packet_device.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// The value of a sysctl, by its path below /proc/sys/net/: "ipv4/ip_forward".
// nullopt where the kernel has none.
using NetSysctl = std::function<std::optional<std::string>(const std::string& name)>;

// Of this network namespace.
std::optional<std::string> ReadNetSysctl(const std::string& name);

// What of the host's settings keeps packets that arrive at these devices from
// their backends: forwarding that is off, reverse path filters that are strict.
std::vector<std::string> PacketWarnings(const DatapathState& state,
                                        const std::vector<PacketDevice>& devices,
                                        const NetSysctl& sysctl);

// Node ports that the host may give to one of its own sockets, which then hears
// what was meant for a Service, or the other way round.
std::vector<std::string> NodePortWarnings(const DatapathState& state, const NetSysctl& sysctl);

}  // namespace shunt

#endif  // SHUNT_AGENT_PACKET_WARNINGS_H_
