// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_PACKET_DEVICES_H_
#define SHUNT_AGENT_PACKET_DEVICES_H_

#include <string>
#include <vector>

#include "userspace/agent/pod_detector.h"
#include "userspace/datapath/packet_device.h"
#include "userspace/sources/netlink/address_watch.h"

namespace shunt {

// Whose packets are looked at: the devices that a pattern names ("eth0",
// "bond*"); without patterns those that are up and have an address that others
// can reach, among them a bridge to pods and the tunnel of an overlay, through
// which answers come back. Never loopback. By index. Pure.
std::vector<PacketDevice> PacketDevices(const std::vector<std::string>& patterns,
                                        const PodDetector& detector, const HostAddresses& host);

// "eth0,flannel.1"
std::string NamesOf(const std::vector<PacketDevice>& devices);

}  // namespace shunt

#endif  // SHUNT_AGENT_PACKET_DEVICES_H_
