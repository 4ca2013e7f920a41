// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_PACKET_DEVICE_H_
#define SHUNT_DATAPATH_PACKET_DEVICE_H_

#include <cstdint>
#include <string>

#include "userspace/base/ip_address.h"

namespace shunt {

// A device whose packets are looked at.
struct PacketDevice {
  uint32_t index = 0;
  std::string name;             // for messages
  bool has_link_header = true;  // Ethernet's; tunnels have none
  bool is_of_pods = false;      // what arrives there is from pods of this node
  // What leaves by it and has to come back to this node has one of these; an
  // unspecified one is none.
  IpAddress address4, address6;

  friend bool operator==(const PacketDevice&, const PacketDevice&) = default;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_PACKET_DEVICE_H_
