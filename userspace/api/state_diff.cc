// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/state_diff.h"

namespace shunt {

bool DiffStates(const DatapathState& before, const DatapathState& after,
                absl::FunctionRef<bool(const ServicePortName&, const ServicePortState*)> sink) {
  auto old_port = before.begin();
  auto new_port = after.begin();
  while (old_port != before.end() || new_port != after.end()) {
    if (new_port == after.end() ||
        (old_port != before.end() && old_port->first < new_port->first)) {
      if (!sink(old_port->first, nullptr)) return false;
      ++old_port;
    } else if (old_port == before.end() || new_port->first < old_port->first) {
      if (!sink(new_port->first, new_port->second.get())) return false;
      ++new_port;
    } else {
      const bool same =
          old_port->second == new_port->second || *old_port->second == *new_port->second;
      if (!same && !sink(new_port->first, new_port->second.get())) return false;
      ++old_port;
      ++new_port;
    }
  }
  return true;
}

}  // namespace shunt
