// SPDX-License-Identifier: Apache-2.0
#include "tests/support/resident.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/base/status.h"

namespace shunt::testing {

absl::StatusOr<Resident> Resident::MoveInto(const NetNamespace& home) {
  pid_t pid = -1;
  int error = 0;
  home.Run([&] {
    pid = fork();
    error = errno;
    while (pid == 0) pause();
  });
  if (pid < 0) return ErrnoStatus("fork", error);
  return Resident(pid);
}

Resident::~Resident() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace shunt::testing
