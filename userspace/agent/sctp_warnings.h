// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_SCTP_WARNINGS_H_
#define SHUNT_AGENT_SCTP_WARNINGS_H_

#include <string>
#include <vector>

#include "userspace/state/datapath_state.h"

namespace shunt {

// What people should know of the packets that are served, in words: frontends of
// SCTP whose port is not that of their backends, which the programs leave alone.
// Pure.
std::vector<std::string> SctpWarnings(const DatapathState& state);

}  // namespace shunt

#endif  // SHUNT_AGENT_SCTP_WARNINGS_H_
