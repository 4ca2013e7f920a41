// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_STATE_TRACER_H_
#define SHUNT_STATE_TRACER_H_

#include <optional>
#include <string_view>
#include <vector>

#include "userspace/state/datapath_state.h"

namespace shunt {

// Who dials.
struct TraceClient {
  std::optional<IpAddress> source;  // nullopt: not known, and then no source range names it
  bool in_host_namespace = false;
};

// The fate of a new connection, and of the first datagram of a flow.
struct Trace {
  shunt_verdict verdict = SHUNT_NOT_A_SERVICE;
  ServicePortName service;           // where a frontend was found
  std::optional<Frontend> frontend;  // likewise
  // SHUNT_TRANSLATED: one of these, each with the same chance; with session
  // affinity the one that this client had last, if it still is among them.
  std::vector<Backend> candidates;
  uint32_t affinity_timeout_s = 0;  // 0: none
};

// Answers what the BPF programs would do with `dialled` in `state`: the
// frontend that is dialled, else that of all other ports of its address; from
// outside first what is said for there. Who may not dial it is told so. The
// scenario tests hold it against the programs themselves. It walks the whole
// state: for people and tests. Pure.
Trace TraceConnect(const DatapathState& state, const FrontendKey& dialled,
                   const TraceClient& client = {});

// "translated", "no_endpoint": the verdict's name for people and metrics, with
// '_' between words.
std::string_view VerdictName(shunt_verdict verdict);

}  // namespace shunt

#endif  // SHUNT_STATE_TRACER_H_
