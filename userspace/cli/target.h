// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_TARGET_H_
#define SHUNT_CLI_TARGET_H_

#include <string>

#include "absl/status/statusor.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// What somebody dials on this node, as it is typed: "10.96.0.10:80",
// "10.96.0.10:53/UDP", "[fd00::10]:80". TCP where nothing is said; the protocol in
// any case. Fails with InvalidArgument, naming what is wrong.
absl::StatusOr<FrontendKey> ParseTarget(const std::string& text);

// "TCP", "udp".
absl::StatusOr<shunt_protocol> ParseProtocol(const std::string& text);

}  // namespace shunt

#endif  // SHUNT_CLI_TARGET_H_
