// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_CAPABILITIES_H_
#define SHUNT_BASE_CAPABILITIES_H_

#include <cstdint>
#include <initializer_list>

#include "absl/status/status.h"

namespace shunt {

// Gives up all capabilities of the calling thread (and of threads that it starts
// later) but these (CAP_SYS_ADMIN, ... of <linux/capability.h>), for good: no
// program that it executes gets more. One that it does not have stays away.
absl::Status KeepCapabilities(std::initializer_list<int> kept);

}  // namespace shunt

#endif  // SHUNT_BASE_CAPABILITIES_H_
