// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_PACKET_ORIGIN_H_
#define SHUNT_DATAPATH_PACKET_ORIGIN_H_

#include "shunt/types.h"
#include "userspace/base/ip_address.h"

namespace shunt {

// Who sends packets from these addresses. Of ranges that overlap the longest counts.
struct PacketOrigin {
  Cidr range;
  shunt_origin origin = SHUNT_ORIGIN_UNKNOWN;

  friend bool operator==(const PacketOrigin&, const PacketOrigin&) = default;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_PACKET_ORIGIN_H_
