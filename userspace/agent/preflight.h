// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_PREFLIGHT_H_
#define SHUNT_AGENT_PREFLIGHT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "userspace/agent/options.h"

namespace shunt {

// What `shuntd preflight` found out in one respect.
struct Check {
  enum class Outcome : uint8_t {
    kOk,
    kNote,  // Shunt works, and somebody should know this
    kFail,  // Shunt would not work
  };
  Outcome outcome = Outcome::kOk;
  std::string name, text;
};
using Checks = std::vector<Check>;

// Would Shunt work on this host? Prints one line for each check on stdout, and
// fails where one does. Changes nothing on the host: what is loaded is let go of,
// what is bound is closed.
absl::Status Preflight(const Options& options);

// The parts of it.
Checks KernelChecks();                           // preflight_kernel.cc
Checks NeighbourChecks(const Options& options);  // preflight_neighbours.cc: who else is here
Checks ApiServerChecks(const Options& options);  // preflight_api_server.cc

// One line for each, aligned.
std::string ChecksText(const Checks& checks);

}  // namespace shunt

#endif  // SHUNT_AGENT_PREFLIGHT_H_
