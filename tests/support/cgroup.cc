// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/files.h"
#include "tests/support/wait_for.h"
#include "userspace/base/status.h"

namespace shunt::testing {
namespace {

bool IsEmpty(const std::string& path) {
  absl::StatusOr<std::string> events = ReadFile(path + "/cgroup.events");
  return !events.ok() || absl::StrContains(*events, "populated 0");
}

absl::Status RemoveDirectories(const std::string& path) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    if (entry.is_directory(error)) SHUNT_RETURN_IF_ERROR(RemoveDirectories(entry.path()));
  }
  if (rmdir(path.c_str()) != 0 && errno != ENOENT) return ErrnoStatus(path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> FindCgroup2Mount() {
  SHUNT_ASSIGN_OR_RETURN(std::string mounts, ReadFile("/proc/self/mounts"));
  for (absl::string_view line : absl::StrSplit(mounts, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() > 2 && fields[2] == "cgroup2") return std::string(fields[1]);
  }
  return absl::NotFoundError("no cgroup v2 is mounted: mount -t cgroup2 none /sys/fs/cgroup");
}

absl::Status MakeCgroup(const std::string& path) {
  if (mkdir(path.c_str(), 0755) != 0) return ErrnoStatus(path);
  return absl::OkStatus();
}

absl::Status JoinCgroup(const std::string& path) {
  return WriteFile(path + "/cgroup.procs", absl::StrCat(getpid()));
}

absl::Status RemoveCgroup(const std::string& path) {
  if (!IsEmpty(path)) {
    SHUNT_RETURN_IF_ERROR(WriteFile(path + "/cgroup.kill", "1"));
    if (!WaitFor([&] { return IsEmpty(path); })) {
      return absl::DeadlineExceededError(absl::StrCat(path, ": its processes do not end"));
    }
  }
  return RemoveDirectories(path);
}

}  // namespace shunt::testing
