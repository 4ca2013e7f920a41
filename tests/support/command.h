// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_COMMAND_H_
#define SHUNT_TESTS_SUPPORT_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace shunt::testing {

struct CommandResult {
  int exit_code = 0;  // 128 + signal where a signal ended it
  std::string out;
  std::string err;
};

struct CommandOptions {
  std::string input;                         // what it reads from stdin
  absl::Duration limit = absl::Seconds(60);  // killed after that
  std::vector<std::string> environment;      // "NAME=value", added to ours
};

// Runs a program from the PATH, in the namespaces of the calling thread, and
// waits for its end. Fails where it cannot be started or does not end in time.
absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& arguments,
                                         const CommandOptions& options = {});

// The same, for a program that must end with 0; else the error holds what it
// wrote to stderr.
absl::Status MustRun(const std::vector<std::string>& arguments, const CommandOptions& options = {});

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_COMMAND_H_
