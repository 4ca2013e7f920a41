// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/host.h"

#include <mntent.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "userspace/agent/conntrack.h"
#include "userspace/base/status.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

constexpr char kBpffs[] = "/sys/fs/bpf";
constexpr char kOwnCgroup2[] = "/run/shunt/cgroupv2";

// The first mount point of a file system type, at `where` if that is not "".
std::optional<std::string> FindMount(const std::string& type, const std::string& where = "") {
  std::unique_ptr<FILE, int (*)(FILE*)> mounts(setmntent("/proc/self/mounts", "r"), endmntent);
  if (mounts == nullptr) return std::nullopt;
  while (const mntent* entry = getmntent(mounts.get())) {
    if (type == entry->mnt_type && (where.empty() || where == entry->mnt_dir)) {
      return entry->mnt_dir;
    }
  }
  return std::nullopt;
}

absl::Status Mount(const char* type, const char* where) {
  std::error_code error;
  std::filesystem::create_directories(where, error);
  if (error) return ErrnoStatus(absl::StrCat("mkdir ", where), error.value());
  if (mount(type, where, type, 0, nullptr) < 0) {
    return ErrnoStatus(absl::StrCat("mount -t ", type, " ", type, " ", where));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> FindCgroup2() {
  if (std::optional<std::string> found = FindMount("cgroup2")) return *std::move(found);
  return absl::FailedPreconditionError(
      absl::StrCat("cgroup v2 is not mounted; run 'shuntd --init-only', or: mkdir -p ", kOwnCgroup2,
                   " && mount -t cgroup2 none ", kOwnCgroup2));
}

absl::Status PrepareHost(const ProxyConfig& config) {
  if (!FindMount("bpf", kBpffs)) SHUNT_RETURN_IF_ERROR(Mount("bpf", kBpffs));
  if (!FindMount("cgroup2")) SHUNT_RETURN_IF_ERROR(Mount("cgroup2", kOwnCgroup2));
  const auto cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  ApplySettings("", ConntrackSettings(config, cpus));
  return absl::OkStatus();
}

void SetOomScore(int64_t score) {
  std::ofstream file("/proc/self/oom_score_adj");
  file << score << std::flush;
  if (!file.good()) LogInfo("oomScoreAdj stays as it is", {{"wanted", score}});
}

}  // namespace shunt
