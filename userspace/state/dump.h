// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_STATE_DUMP_H_
#define SHUNT_STATE_DUMP_H_

#include <string>

#include "userspace/state/datapath_state.h"

namespace shunt {

// The service-to-backend table: one line for each frontend and backend, sorted
// by frontend, aligned, stable. `shuntctl dump`, golden tests and failure
// messages print this text and no other.
//
//   FRONTEND            SERVICE        BACKEND            NOTE
//   10.96.0.10:80/TCP   shop/web:http  10.244.1.5:8080
//   10.96.0.10:80/TCP   shop/web:http  10.244.2.7:8080
//   10.96.0.11:80/TCP   shop/api       -                  refused
//
// NOTE is one of
//   (nothing)   new connections may go to this backend
//   refused     no usable endpoint: connect() fails with ECONNREFUSED
//   VERDICT     no usable endpoint, and another verdict than that one (VerdictName)
//   draining    no frontend chooses this backend any more; it serves what it has
// and after it, in parentheses, what more the frontend asks of a client:
//   host only   it stands in the host's network namespace
//   from RANGE, RANGE   its address is in one of them; "from nobody" where there is none
// Draining backends follow after all frontends, with "-" for the frontend. That
// the other ports of each ClusterIP are refused is not said for each.
std::string Dump(const DatapathState& state);

}  // namespace shunt

#endif  // SHUNT_STATE_DUMP_H_
