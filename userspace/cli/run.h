// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_RUN_H_
#define SHUNT_CLI_RUN_H_

#include <string>
#include <vector>

#include "userspace/cli/session.h"

namespace shunt {

// Exit codes of shuntctl.
inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;
inline constexpr int kExitUsage = 2;

// Runs the command that `words` (without the program's name) say, and returns
// the exit code.
int RunCli(const std::vector<std::string>& words, const Environment& environment);

// main(), with the process' streams.
int RunCli(int argc, char** argv);

}  // namespace shunt

#endif  // SHUNT_CLI_RUN_H_
