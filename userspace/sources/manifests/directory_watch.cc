// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/directory_watch.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

// A file that is written is complete when it is closed; one that is moved or
// linked here is complete at once. All masks are added to what is there: two
// paths may be one inode, which has one watch.
constexpr uint32_t kDirectoryMask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                    IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                    IN_ONLYDIR | IN_MASK_ADD;
// Only whether our directory comes or goes.
constexpr uint32_t kParentMask =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_MASK_ADD;
constexpr uint32_t kTargetMask =
    IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_MASK_ADD;
// Many events, so that a burst takes few calls.
constexpr size_t kBufferBytes = 64 << 10;

absl::Status OpenError() {
  absl::Status status = ErrnoStatus("inotify");
  if (errno != EMFILE) return status;
  return absl::Status(status.code(),
                      "inotify: too many instances; raise sysctl fs.inotify.max_user_instances");
}

}  // namespace

absl::StatusOr<DirectoryWatch> DirectoryWatch::Open(const std::string& directory) {
  UniqueFd inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify.ok()) return OpenError();
  DirectoryWatch watch(std::move(inotify), directory);
  errno = 0;
  watch.Look();
  if (watch.present()) return watch;
  if (errno == ENOSPC) {
    return absl::ResourceExhaustedError(absl::StrCat(
        directory, ": too many inotify watches; raise sysctl fs.inotify.max_user_watches"));
  }
  return ErrnoStatus(directory);
}

DirectoryWatch::DirectoryWatch(UniqueFd inotify, std::string directory)
    : inotify_(std::move(inotify)) {
  std::error_code error;  // without a working directory the path stays as it is
  std::filesystem::path path = std::filesystem::absolute(directory, error);
  if (error) path = directory;
  path = path.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "dir/"
  path_ = path.string();
  parent_path_ = path.parent_path().string();
  base_name_ = path.filename().string();
}

absl::Status DirectoryWatch::Read(DirectoryEvents& events) {
  alignas(inotify_event) char buffer[kBufferBytes];
  while (true) {
    const ssize_t count = read(inotify_.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return absl::OkStatus();
    if (count <= 0) return ErrnoStatus("inotify");
    for (const char* at = buffer; at < buffer + count;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      Handle(event, events);
      at += sizeof(event) + event.len;
    }
  }
}

void DirectoryWatch::Handle(const inotify_event& event, DirectoryEvents& events) {
  if (event.mask & IN_Q_OVERFLOW) {
    Look();
    events.everything = true;
    return;
  }
  const std::string_view name = event.len == 0 ? "" : event.name;
  // Or a link in the parent that our path leads through, as "..data" does.
  if (event.wd == parent_ && (name == base_name_ || name.starts_with(".."))) {
    events.everything |= Look();
  }
  if (event.wd == directory_) {
    HandleInDirectory(event, events);
  } else {
    HandleTarget(event, events);
  }
}

void DirectoryWatch::HandleInDirectory(const inotify_event& event, DirectoryEvents& events) {
  if (event.len > 0) {
    events.files[event.name] |= event.mask;
    return;
  }
  if (event.mask & IN_IGNORED) directory_ = -1;  // the kernel dropped the watch
  events.everything |= Look();
}

void DirectoryWatch::HandleTarget(const inotify_event& event, DirectoryEvents& events) {
  const auto target = targets_.find(event.wd);
  if (target == targets_.end()) return;  // of a watch that was removed
  const absl::btree_set<std::string> names = target->second;
  if (event.mask & IN_IGNORED) targets_.erase(target);
  for (const std::string& name : names) {
    if (event.mask & IN_CLOSE_WRITE) events.files[name] |= IN_CLOSE_WRITE;
    // Its attributes changed, perhaps because it lost its name to another file,
    // which may be found through the link now.
    const int before = event.wd;
    FollowLink(name);
    const auto now = links_.find(name);
    const bool is_another = now == links_.end() || now->second != before;
    events.files[name] |= is_another ? IN_CLOSE_WRITE : IN_ATTRIB;
  }
}

bool DirectoryWatch::Look() {
  if (!parent_path_.empty() && parent_path_ != path_) {
    parent_ = inotify_add_watch(inotify_.get(), parent_path_.c_str(), kParentMask);
  }
  const int now = inotify_add_watch(inotify_.get(), path_.c_str(), kDirectoryMask);
  if (now == directory_) return false;
  if (directory_ >= 0) inotify_rm_watch(inotify_.get(), directory_);
  directory_ = now;
  return true;
}

void DirectoryWatch::FollowLink(const std::string& name) {
  const std::string path = absl::StrCat(path_, "/", name);
  struct stat status;
  int watch = -1;
  if (stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
    watch = inotify_add_watch(inotify_.get(), path.c_str(), kTargetMask);
  }
  const auto link = links_.find(name);
  if (link != links_.end() && link->second == watch) return;
  Forget(name);
  if (watch < 0) return;  // it leads to no file, or there are too many watches
  links_[name] = watch;
  targets_[watch].insert(name);
}

void DirectoryWatch::Forget(const std::string& name) {
  const auto link = links_.find(name);
  if (link == links_.end()) return;
  const int watch = link->second;
  links_.erase(link);
  const auto target = targets_.find(watch);
  if (target == targets_.end()) return;
  target->second.erase(name);
  if (!target->second.empty()) return;
  targets_.erase(target);
  inotify_rm_watch(inotify_.get(), watch);
}

}  // namespace shunt
