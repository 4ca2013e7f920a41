// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_FLOW_FILTER_H_
#define SHUNT_API_FLOW_FILTER_H_

#include <optional>

#include "userspace/api/service_filter.h"
#include "userspace/base/ip_address.h"
#include "userspace/datapath/flows.h"

namespace shunt {

// Which flows somebody asks for. Empty: all.
struct FlowFilter {
  ServiceFilter service;
  std::optional<Cidr> address;  // of any of its ends
  std::optional<shunt_protocol> protocol;
  std::optional<FlowState> state;

  bool Matches(const PacketFlow& flow) const {
    return service.Matches(flow.service) && (!protocol || *protocol == flow.service.protocol) &&
           (!state || *state == flow.state) && (!address || HasAddress(flow));
  }

  bool HasAddress(const PacketFlow& flow) const {
    return address->Contains(flow.client.address) || address->Contains(flow.dialled.address) ||
           address->Contains(flow.backend.address) ||
           (flow.seen_as && address->Contains(flow.seen_as->address));
  }
};

}  // namespace shunt

#endif  // SHUNT_API_FLOW_FILTER_H_
