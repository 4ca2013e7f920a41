// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/pins.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

// Where a pin is made before it replaces the one of its name. An agent that is
// killed in between leaves it.
std::string FreshPath(const std::string& path) { return path + "_new"; }

absl::Status Unlink(const std::string& path) {
  if (unlink(path.c_str()) < 0 && errno != ENOENT)
    return ErrnoStatus(absl::StrCat("remove ", path));
  return absl::OkStatus();
}

bool IsOnBpfFileSystem(const std::string& path) {
  struct statfs fs;
  return statfs(path.c_str(), &fs) == 0 && static_cast<unsigned long>(fs.f_type) == BPF_FS_MAGIC;
}

std::string NearestExistingDirectory(std::filesystem::path path) {
  std::error_code ignored;
  while (!path.empty() && path != "/" && !std::filesystem::exists(path, ignored)) {
    path = path.parent_path();
  }
  return path;
}

}  // namespace

absl::Status PinDirectory::Create() const {
  const std::string existing = NearestExistingDirectory(path_);
  if (!IsOnBpfFileSystem(existing)) {
    return absl::FailedPreconditionError(absl::StrCat(path_, ": there is no bpf file system at ",
                                                      existing,
                                                      "; mount one: mount -t bpf bpf /sys/fs/bpf"));
  }
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error == std::errc::permission_denied || error == std::errc::operation_not_permitted) {
    return absl::PermissionDeniedError(absl::StrCat(
        "mkdir ", path_, ": not permitted; run as root (CAP_BPF and CAP_NET_ADMIN suffice where ",
        existing, " is writable)"));
  }
  if (error) return ErrnoStatus(absl::StrCat("mkdir ", path_), error.value());
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> PinDirectory::Lock() const {
  UniqueFd directory(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.ok()) return ErrnoStatus(absl::StrCat("open ", path_));
  if (flock(directory.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) return ErrnoStatus(absl::StrCat("lock ", path_));
    return absl::UnavailableError(absl::StrCat("another shuntd is running with ", path_));
  }
  return directory;
}

absl::StatusOr<UniqueFd> PinDirectory::OpenWith(std::string_view name, unsigned flags) const {
  LIBBPF_OPTS(bpf_obj_get_opts, options, .file_flags = flags);
  UniqueFd fd(bpf_obj_get_opts(PathOf(name).c_str(), &options));
  if (!fd.ok()) return ErrnoStatus(absl::StrCat("open ", PathOf(name)));
  return fd;
}

absl::StatusOr<UniqueFd> PinDirectory::Open(std::string_view name) const {
  return OpenWith(name, 0);
}

absl::StatusOr<UniqueFd> PinDirectory::OpenReadOnly(std::string_view name) const {
  return OpenWith(name, BPF_F_RDONLY);
}

absl::Status PinDirectory::Put(std::string_view name, int fd) const {
  const std::string path = PathOf(name), fresh = FreshPath(path);
  SHUNT_RETURN_IF_ERROR(Unlink(fresh));
  if (bpf_obj_pin(fd, fresh.c_str()) < 0) return ErrnoStatus(absl::StrCat("pin ", fresh));
  if (rename(fresh.c_str(), path.c_str()) < 0) return ErrnoStatus(absl::StrCat("rename ", fresh));
  return absl::OkStatus();
}

absl::Status PinDirectory::Remove(std::string_view name) const {
  SHUNT_RETURN_IF_ERROR(Unlink(FreshPath(PathOf(name))));
  return Unlink(PathOf(name));
}

}  // namespace shunt
