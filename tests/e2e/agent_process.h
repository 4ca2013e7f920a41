// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_E2E_AGENT_PROCESS_H_
#define SHUNT_TESTS_E2E_AGENT_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace shunt::testing {

// A running shuntd, or another program of ours. It is killed when the object goes.
class AgentProcess {
 public:
  // `log` receives what it writes to stdout and stderr; it is emptied first.
  static absl::StatusOr<std::unique_ptr<AgentProcess>> Start(
      const std::vector<std::string>& arguments, const std::string& log);
  static absl::StatusOr<std::unique_ptr<AgentProcess>> StartProgram(
      const std::string& program, const std::vector<std::string>& arguments,
      const std::string& log);
  ~AgentProcess();

  pid_t pid() const { return pid_; }
  void Signal(int signal);
  // The exit code, 128 + signal where one ended it; nullopt: it still runs.
  std::optional<int> WaitForExit(absl::Duration limit);
  std::string Log() const;

 private:
  AgentProcess(pid_t pid, std::string log) : pid_(pid), log_(std::move(log)) {}

  pid_t pid_;
  const std::string log_;
  std::optional<int> exit_code_;
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_E2E_AGENT_PROCESS_H_
