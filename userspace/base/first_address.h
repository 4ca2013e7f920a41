// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_FIRST_ADDRESS_H_
#define SHUNT_BASE_FIRST_ADDRESS_H_

#include <optional>

#include "userspace/base/ip_address.h"

namespace shunt {

// The address that the programs take for that of a client whose socket is not
// bound, where source ranges are checked: the first global one of the first
// interface that is up, not the loopback and has one (bpf/lib/client.h). Of the
// calling thread's network namespace; nullopt: there is none.
std::optional<IpAddress> FirstAddress(Family family);

}  // namespace shunt

#endif  // SHUNT_BASE_FIRST_ADDRESS_H_
