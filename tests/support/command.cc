// SPDX-License-Identifier: Apache-2.0
#include "tests/support/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "tests/support/files.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {
namespace {

struct Pipe {
  UniqueFd read, write;
};

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoStatus("pipe2");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<char*> EnvironmentWith(const std::vector<std::string>& added) {
  std::vector<char*> all;
  for (const std::string& s : added) all.push_back(const_cast<char*>(s.c_str()));
  for (char** variable = environ; *variable != nullptr; ++variable) all.push_back(*variable);
  all.push_back(nullptr);
  return all;
}

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment, std::array<int, 3> fds) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int i = 0; i < 3; ++i) posix_spawn_file_actions_adddup2(&actions, fds[i], i);
  pid_t pid = -1;
  std::vector<char*> argv = Pointers(arguments), envp = EnvironmentWith(environment);
  const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoStatus(arguments[0], error);
  return pid;
}

// Reads both pipes until both are closed. False when the deadline passed.
bool Drain(Pipe& out, Pipe& err, absl::Time deadline, CommandResult& result) {
  std::array<pollfd, 2> fds = {pollfd{out.read.get(), POLLIN, 0},
                               pollfd{err.read.get(), POLLIN, 0}};
  std::array<std::string*, 2> texts = {&result.out, &result.err};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    const auto left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0) return false;
    poll(fds.data(), fds.size(), static_cast<int>(left));
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t n = read(fds[i].fd, buffer, sizeof(buffer));
      if (n > 0) texts[i]->append(buffer, n);
      if (n == 0) fds[i].fd = -1;
    }
  }
  return true;
}

int WaitForExit(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& arguments,
                                         const CommandOptions& options) {
  SHUNT_ASSIGN_OR_RETURN(Pipe out, MakePipe());
  SHUNT_ASSIGN_OR_RETURN(Pipe err, MakePipe());
  // A file, not a pipe: it takes any size without a second reader.
  SHUNT_ASSIGN_OR_RETURN(UniqueFd input, MakeMemoryFile(options.input));
  SHUNT_ASSIGN_OR_RETURN(pid_t pid, Spawn(arguments, options.environment,
                                          {input.get(), out.write.get(), err.write.get()}));
  out.write = UniqueFd();
  err.write = UniqueFd();
  CommandResult result;
  const bool ended = Drain(out, err, absl::Now() + options.limit, result);
  if (!ended) kill(pid, SIGKILL);
  result.exit_code = WaitForExit(pid);
  if (!ended) {
    return absl::DeadlineExceededError(
        absl::StrCat(absl::StrJoin(arguments, " "), " did not end; it said: ", result.err));
  }
  return result;
}

absl::Status MustRun(const std::vector<std::string>& arguments, const CommandOptions& options) {
  SHUNT_ASSIGN_OR_RETURN(CommandResult result, RunCommand(arguments, options));
  if (result.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(absl::StrJoin(arguments, " "), " ended with ",
                                          result.exit_code, ": ", result.err));
}

}  // namespace shunt::testing
