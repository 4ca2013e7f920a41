// SPDX-License-Identifier: Apache-2.0
#include "tests/support/environment.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/cgroup.h"
#include "tests/support/command.h"
#include "tests/support/files.h"
#include "userspace/base/status.h"

namespace shunt::testing {
namespace {

constexpr char kPrefix[] = "shunt-test-";

absl::StatusOr<Environment>& MutableEnvironment() {
  static auto* environment =
      new absl::StatusOr<Environment>(absl::PermissionDeniedError("needs root: run it with sudo"));
  return *environment;
}

// What a run left whose guard was killed: its name carries the guard's id.
void RemoveLeftovers(const std::string& parent,
                     absl::FunctionRef<void(const std::string&)> remove) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename();
    if (!absl::StartsWith(name, kPrefix)) continue;
    const std::string process = absl::StrCat("/proc/", name.substr(sizeof(kPrefix) - 1));
    if (access(process.c_str(), F_OK) != 0) remove(entry.path());
  }
}

void RemoveDirectory(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
}

void Clean(const Environment& environment) {
  if (absl::Status status = RemoveCgroup(environment.cgroup); !status.ok()) {
    fprintf(stderr, "%s\n", status.ToString().c_str());
  }
  RemoveDirectory(environment.directory);
}

absl::StatusOr<Environment> MakeDirectories() {
  SHUNT_ASSIGN_OR_RETURN(std::string mount, FindCgroup2Mount());
  const std::string name = absl::StrCat(kPrefix, getpid());
  const Environment environment = {.cgroup = absl::StrCat(mount, "/", name),
                                   .directory = absl::StrCat("/tmp/", name),
                                   .bpffs = absl::StrCat("/tmp/", name, "/bpf")};
  RemoveLeftovers(mount, [](const std::string& path) { RemoveCgroup(path).IgnoreError(); });
  RemoveLeftovers("/tmp", RemoveDirectory);
  SHUNT_RETURN_IF_ERROR(MakeCgroup(environment.cgroup));
  if (mkdir(environment.directory.c_str(), 0755) != 0) return ErrnoStatus(environment.directory);
  if (mkdir(environment.bpffs.c_str(), 0755) != 0) return ErrnoStatus(environment.bpffs);
  return environment;
}

absl::Status EnterNamespaces(const Environment& environment) {
  if (unshare(CLONE_NEWNS) != 0) return ErrnoStatus("unshare");
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return ErrnoStatus("mount /");
  if (mount("bpf", environment.bpffs.c_str(), "bpf", 0, nullptr) != 0) {
    return ErrnoStatus("mount -t bpf");
  }
  SHUNT_RETURN_IF_ERROR(JoinCgroup(environment.cgroup));
  return EnterFreshNetwork();
}

sigset_t GuardSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

[[noreturn]] void RunChild(pid_t guard, absl::FunctionRef<int()> body) {
  sigset_t signals = GuardSignals();
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != guard) _exit(1);
  absl::StatusOr<Environment>& environment = MutableEnvironment();
  if (absl::Status status = EnterNamespaces(*environment); !status.ok()) environment = status;
  exit(body());
}

// Waits for the child's end, or ends it when we are told to.
int Guard(pid_t child) {
  const sigset_t signals = GuardSignals();
  while (true) {
    int signal = 0, status = 0;
    sigwait(&signals, &signal);
    if (signal != SIGCHLD) kill(child, SIGKILL);
    if (waitpid(child, &status, signal == SIGCHLD ? WNOHANG : 0) != child) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}

}  // namespace

absl::Status EnterFreshNetwork() {
  if (unshare(CLONE_NEWNET) != 0) return ErrnoStatus("unshare(CLONE_NEWNET)");
  SHUNT_RETURN_IF_ERROR(MustRun({"ip", "link", "set", "lo", "up"}));
  // Bit 1 is for clients, bit 2 for servers.
  SHUNT_RETURN_IF_ERROR(WriteFile("/proc/sys/net/ipv4/tcp_fastopen", "3"));
  // Listeners are below; tests dial far more often than the default has ports for.
  return WriteFile("/proc/sys/net/ipv4/ip_local_port_range", "20000 65000");
}

const absl::StatusOr<Environment>& GetEnvironment() { return MutableEnvironment(); }

int RunInEnvironment(absl::FunctionRef<int()> body) {
  if (geteuid() != 0) return body();
  absl::StatusOr<Environment>& environment = MutableEnvironment();
  environment = MakeDirectories();
  if (!environment.ok()) return body();
  const sigset_t signals = GuardSignals();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const pid_t guard = getpid();
  const pid_t child = fork();
  if (child == 0) RunChild(guard, body);
  const int code = child > 0 ? Guard(child) : 1;
  Clean(*environment);
  return code;
}

}  // namespace shunt::testing
