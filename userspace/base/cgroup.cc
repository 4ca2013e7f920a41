// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

namespace fs = std::filesystem;

// A file handle as kernfs makes them: it holds the id.
struct Handle {
  unsigned bytes = sizeof(uint64_t);
  int type = 0xfe;  // FILEID_KERNFS
  uint64_t id;
};

absl::StatusOr<UniqueFd> OpenById(const std::string& mount, uint64_t id) {
  const UniqueFd directory(open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.ok()) return ErrnoStatus(mount);
  Handle handle{.id = id};
  UniqueFd fd(open_by_handle_at(directory.get(), reinterpret_cast<file_handle*>(&handle),
                                O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.ok()) return fd;
  if (errno == ESTALE) return absl::NotFoundError(absl::StrCat("cgroup ", id, " is gone"));
  return ErrnoStatus(absl::StrCat("cgroup ", id));
}

}  // namespace

absl::StatusOr<std::string> CgroupMount() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    if (fields.size() > 2 && fields[2] == "cgroup2") return fields[1];
  }
  return absl::NotFoundError("no cgroup v2 hierarchy is mounted");
}

absl::StatusOr<uint64_t> CgroupId(const std::string& path) {
  struct statfs filesystem;
  struct stat file;
  if (statfs(path.c_str(), &filesystem) < 0 || stat(path.c_str(), &file) < 0) {
    return ErrnoStatus(absl::StrCat("cgroup ", path));
  }
  if (static_cast<unsigned long>(filesystem.f_type) != CGROUP2_SUPER_MAGIC ||
      !S_ISDIR(file.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not a directory of cgroup v2"));
  }
  return file.st_ino;
}

absl::StatusOr<std::string> CgroupPath(uint64_t id) {
  SHUNT_ASSIGN_OR_RETURN(const std::string mount, CgroupMount());
  SHUNT_ASSIGN_OR_RETURN(const UniqueFd fd, OpenById(mount, id));
  std::error_code error;
  const fs::path path = fs::read_symlink(absl::StrCat("/proc/self/fd/", fd.get()), error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cgroup ", id));
  return path.string();
}

absl::StatusOr<std::vector<uint64_t>> CgroupIdsOf(pid_t process) {
  std::ifstream file(absl::StrCat("/proc/", process, "/cgroup"));
  if (!file) return absl::NotFoundError(absl::StrCat("there is no process ", process));
  SHUNT_ASSIGN_OR_RETURN(const std::string mount, CgroupMount());
  std::vector<uint64_t> ids;
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, "0::/")) continue;  // of a v1 hierarchy
    for (fs::path path = line.substr(3); path.has_relative_path(); path = path.parent_path()) {
      SHUNT_ASSIGN_OR_RETURN(const uint64_t id, CgroupId(mount + path.string()));
      ids.push_back(id);
    }
  }
  return ids;
}

}  // namespace shunt
