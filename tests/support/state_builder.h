// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_STATE_BUILDER_H_
#define SHUNT_TESTS_SUPPORT_STATE_BUILDER_H_

#include <string>
#include <vector>

#include "shunt/types.h"
#include "tests/support/socket_address.h"
#include "userspace/state/datapath_state.h"

namespace shunt::testing {

// One service port, as a test wants to write it.
struct ServiceSpec {
  std::string name;  // in the namespace "test"
  shunt_protocol protocol = SHUNT_TCP;
  std::vector<HostPort> frontends;
  std::vector<HostPort> backends;
};

ServicePortName NameOf(const ServiceSpec& spec);
ServicePortStatePtr StateOf(const ServiceSpec& spec);
DatapathState MakeState(const std::vector<ServiceSpec>& specs);

// "10.96.0.10:80", "10.96.0.11:80", …: `count` of them from `first` on, the
// addresses one apart.
std::vector<HostPort> Range(absl::string_view first, int count);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_STATE_BUILDER_H_
