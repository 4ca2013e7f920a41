// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_SERVICE_FILTER_H_
#define SHUNT_API_SERVICE_FILTER_H_

#include <string>

#include "userspace/state/datapath_state.h"

namespace shunt {

// Which service ports somebody asks for. Empty: all.
struct ServiceFilter {
  std::string name_space;
  std::string name;  // of the Service

  bool Matches(const ServicePortName& port) const {
    return (name_space.empty() || port.name_space == name_space) &&
           (name.empty() || port.name == name);
  }
};

}  // namespace shunt

#endif  // SHUNT_API_SERVICE_FILTER_H_
