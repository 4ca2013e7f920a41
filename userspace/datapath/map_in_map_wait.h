// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_MAP_IN_MAP_WAIT_H_
#define SHUNT_DATAPATH_MAP_IN_MAP_WAIT_H_

#include "userspace/datapath/grace_period.h"

namespace shunt {

// Waits for a grace period where membarrier() cannot: the update of a map in a
// map returns only after every program that could see the old one has ended
// (kernel: maybe_wait_bpf_programs()). Its maps are made on the first call.
RcuWait MapInMapWait();

}  // namespace shunt

#endif  // SHUNT_DATAPATH_MAP_IN_MAP_WAIT_H_
