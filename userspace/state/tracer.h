// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_STATE_TRACER_H_
#define SHUNT_STATE_TRACER_H_

#include <string_view>
#include <vector>

#include "userspace/state/datapath_state.h"

namespace shunt {

// The fate of a new connection, and of the first datagram of a flow.
struct Trace {
  shunt_verdict verdict = SHUNT_NOT_A_SERVICE;
  ServicePortName service;          // where a frontend was found
  std::vector<Backend> candidates;  // SHUNT_TRANSLATED: one of these, each with the same chance
};

// Answers what the BPF programs would do with `dialled` in `state`. The
// scenario tests hold it against the programs themselves. It walks the whole
// state: for people and tests. Pure.
Trace TraceConnect(const DatapathState& state, const FrontendKey& dialled);

// "translated", "no_endpoint": the verdict's name for people and metrics, with
// '_' between words.
std::string_view VerdictName(shunt_verdict verdict);

}  // namespace shunt

#endif  // SHUNT_STATE_TRACER_H_
