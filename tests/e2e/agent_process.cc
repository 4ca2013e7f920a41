// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/agent_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/wait_for.h"
#include "userspace/base/status.h"

namespace shunt::testing {

absl::StatusOr<std::unique_ptr<AgentProcess>> AgentProcess::Start(
    const std::vector<std::string>& arguments, const std::string& log) {
  return StartProgram(SHUNT_AGENT, arguments, log);
}

absl::StatusOr<std::unique_ptr<AgentProcess>> AgentProcess::StartProgram(
    const std::string& program, const std::vector<std::string>& arguments, const std::string& log) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoStatus(argv[0], error);
  return std::unique_ptr<AgentProcess>(new AgentProcess(pid, log));
}

AgentProcess::~AgentProcess() {
  if (exit_code_.has_value()) return;
  kill(pid_, SIGKILL);
  WaitForExit(absl::InfiniteDuration());
}

void AgentProcess::Signal(int signal) {
  if (!exit_code_.has_value()) kill(pid_, signal);
}

std::optional<int> AgentProcess::WaitForExit(absl::Duration limit) {
  WaitFor(
      [this] {
        int status = 0;
        if (!exit_code_.has_value() && waitpid(pid_, &status, WNOHANG) == pid_) {
          exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        return exit_code_.has_value();
      },
      limit);
  return exit_code_;
}

std::string AgentProcess::Log() const { return ReadFile(log_).value_or(""); }

}  // namespace shunt::testing
