// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_STATE_DIFF_H_
#define SHUNT_API_STATE_DIFF_H_

#include "absl/functional/function_ref.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// Calls `sink` for each service port that differs between the states, in order:
// with its state in `after`, or with null where it is gone. Ends early, with
// false, when `sink` returns false. The states share what did not change, so
// this compares pointers before it compares values.
bool DiffStates(const DatapathState& before, const DatapathState& after,
                absl::FunctionRef<bool(const ServicePortName&, const ServicePortState*)> sink);

}  // namespace shunt

#endif  // SHUNT_API_STATE_DIFF_H_
