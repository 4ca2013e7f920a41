// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_AGENT_H_
#define SHUNT_AGENT_AGENT_H_

#include "absl/status/statusor.h"
#include "userspace/agent/options.h"

namespace shunt {

enum class ServeEnd {
  kSignal,
  kReload,  // options.reload_all, and the files of configuration say something else now
};

// Serves until SIGTERM or SIGINT, then returns within a second; the kernel goes
// on serving. The calling thread must be the only one. An error is one line
// that says what is missing and how to get it.
absl::StatusOr<ServeEnd> Serve(const Options& options);

}  // namespace shunt

#endif  // SHUNT_AGENT_AGENT_H_
