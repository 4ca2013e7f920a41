// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_STATE_FROM_MAPS_H_
#define SHUNT_DATAPATH_STATE_FROM_MAPS_H_

#include "absl/status/statusor.h"
#include "userspace/datapath/map_store.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// What the maps hold, as a value: for `shuntctl --source maps`, audits, tests.
// What does not hang together is shown as far as it can be: a service port
// without a name is called "?/ID", a slot that leads nowhere is left out.
//
// Of a state that a Reconciler wrote without a failure it is that state, but for
// what no frontend shows: a backend in a list that none chooses from is in none.
absl::StatusOr<DatapathState> StateFromMaps(const MapStore& maps);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_STATE_FROM_MAPS_H_
