// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_COUNTS_H_
#define SHUNT_API_COUNTS_H_

#include <cstdint>

#include "userspace/state/datapath_state.h"

namespace shunt {

// How much there is in a state. `services`: distinct namespace and name.
struct Counts {
  uint64_t services = 0;
  uint64_t service_ports = 0;
  uint64_t frontends = 0;
  uint64_t backends = 0;
};

// A pure function. Frontends that refuse the other ports of a ClusterIP are not
// counted: nobody asked for them.
inline Counts CountsOf(const DatapathState& state) {
  Counts counts;
  const ServicePortName* previous = nullptr;
  for (const auto& [name, port] : state) {
    const bool same_service = previous != nullptr && previous->name_space == name.name_space &&
                              previous->name == name.name;
    counts.services += same_service ? 0 : 1;
    counts.service_ports += 1;
    for (const Frontend& frontend : port->frontends) {
      counts.frontends += frontend.kind == SHUNT_OTHER_PORTS ? 0 : 1;
    }
    counts.backends += port->backends.size();
    previous = &name;
  }
  return counts;
}

}  // namespace shunt

#endif  // SHUNT_API_COUNTS_H_
