// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_STATE_STATE_BUILDER_H_
#define SHUNT_TESTS_UNIT_STATE_STATE_BUILDER_H_

#include <memory>
#include <string_view>
#include <utility>

#include "userspace/state/datapath_state.h"

namespace shunt {

// Short words for states in tests.

inline IpAddress Ip(std::string_view text) { return IpAddress::Parse(text).value(); }

inline FrontendKey Key(std::string_view address, uint16_t port,
                       shunt_protocol protocol = SHUNT_TCP) {
  return {.address = Ip(address), .port = port, .protocol = protocol};
}

// In the cluster list.
inline Backend Chosen(std::string_view address, uint16_t port) {
  return {.address = Ip(address), .port = port, .in_cluster_list = true};
}

// In the local list.
inline Backend ChosenLocally(std::string_view address, uint16_t port) {
  return {.address = Ip(address), .port = port, .in_local_list = true};
}

// In no list.
inline Backend Draining(std::string_view address, uint16_t port) {
  return {.address = Ip(address), .port = port};
}

inline ServicePortStatePtr Port(std::vector<Frontend> frontends, std::vector<Backend> backends) {
  return std::make_shared<ServicePortState>(
      ServicePortState{.frontends = std::move(frontends), .backends = std::move(backends)});
}

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_STATE_STATE_BUILDER_H_
