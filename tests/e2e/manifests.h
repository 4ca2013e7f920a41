// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_E2E_MANIFESTS_H_
#define SHUNT_TESTS_E2E_MANIFESTS_H_

#include <string>
#include <vector>

#include "tests/support/socket_address.h"

namespace shunt::testing {

// A Service of one port with its EndpointSlice, as YAML. `pods` have the same
// port and are IPv4.
struct ManifestSpec {
  std::string name;  // in the namespace "shop"
  HostPort vip;
  std::vector<HostPort> pods;
  std::string protocol = "TCP";
  int node_port = 0;      // 0: none
  std::string more = "";  // further lines of spec, "  type: LoadBalancer\n", or of a whole Service
};

std::string ToYaml(const ManifestSpec& spec);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_E2E_MANIFESTS_H_
