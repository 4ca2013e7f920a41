// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/manifest_follower.h"

#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/sources/manifests/file_reader.h"
#include "userspace/sources/manifests/manifest_decoder.h"

namespace shunt {
namespace {

// What failed for a reason that no event tells the end of (a permission further
// up, a file handle, a link's far end) is tried again this often.
constexpr int kRetryMs = 1000;
// An editor renames the old file away before it makes the new one. Waiting for
// what follows keeps a Service from being gone in between.
constexpr int kGraceMs = 1;
constexpr int kMostGraces = 3;

bool IsManifest(std::string_view file) {
  return !file.starts_with('.') &&
         (file.ends_with(".yaml") || file.ends_with(".yml") || file.ends_with(".json"));
}

bool IsReadable(int fd, int timeout_ms) {
  pollfd ready{.fd = fd, .events = POLLIN};
  return poll(&ready, 1, timeout_ms) > 0;
}

bool AnythingWent(const DirectoryEvents& events) {
  if (events.everything) return true;
  for (const auto& [file, bits] : events.files) {
    if (bits & (IN_DELETE | IN_MOVED_FROM)) return true;
  }
  return false;
}

}  // namespace

ManifestFollower::ManifestFollower(DirectoryWatch watch, Store& store)
    : watch_(std::move(watch)), store_(&store) {}

void ManifestFollower::Run(int stop_fd) {
  ReadEverything();
  Publish();
  store_->MarkSynced();
  while (Wait(stop_fd)) {
    Follow(ReadEvents());
    Publish();
  }
}

bool ManifestFollower::Wait(int stop_fd) {
  const bool retry = !unreadable_.empty() || directory_unreadable_ || !watch_.present();
  pollfd fds[] = {{.fd = watch_.fd(), .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
  const int ready = poll(fds, 2, retry ? kRetryMs : -1);
  if (fds[1].revents != 0) return false;
  if (ready == 0) Retry();
  return true;
}

DirectoryEvents ManifestFollower::ReadEvents() {
  DirectoryEvents events;
  absl::Status status = watch_.Read(events);
  for (int i = 0; i < kMostGraces && AnythingWent(events) && IsReadable(watch_.fd(), kGraceMs);
       ++i) {
    status.Update(watch_.Read(events));
  }
  // Never seen; whatever was missed is found by looking at everything.
  events.everything |= !status.ok();
  return events;
}

void ManifestFollower::Retry() {
  if (watch_.Look() || directory_unreadable_) ReadEverything();
  const absl::btree_set<std::string> files = unreadable_;
  for (const std::string& file : files) Examine(file, IN_CLOSE_WRITE);
}

void ManifestFollower::Follow(const DirectoryEvents& events) {
  if (events.everything) {
    ReadEverything();
    return;
  }
  bool links_moved = false;
  for (const auto& [file, bits] : events.files) {
    if (IsManifest(file)) {
      Examine(file, bits);
    } else if (bits & IN_MOVED_TO) {
      links_moved = true;  // "..data" of a mounted ConfigMap: all links go through it
    }
  }
  if (!links_moved) return;
  const absl::btree_set<std::string> links = links_;
  for (const std::string& file : links) Examine(file, IN_MOVED_TO);
}

void ManifestFollower::ReadEverything() {
  absl::btree_set<std::string> files;
  std::error_code error;
  std::filesystem::directory_iterator entries(watch_.path(), error);
  while (!error && entries != std::filesystem::directory_iterator()) {
    std::string file = entries->path().filename().string();
    if (IsManifest(file)) files.insert(std::move(file));
    entries.increment(error);
  }
  directory_unreadable_ = static_cast<bool>(error);
  const bool is_gone = error == std::errc::no_such_file_or_directory;
  if (error) {
    ReportDirectory({{.origin = watch_.path(),
                      .message = is_gone ? "the directory is gone, and its objects with it"
                                         : absl::StrCat("cannot be read: ", error.message())}});
    if (!is_gone) return;  // stale is better than empty
  } else {
    ReportDirectory({});
  }
  for (const std::string& file : set_.files()) {
    if (!files.contains(file)) Remove(file);
  }
  for (const std::string& file : files) Examine(file, IN_CLOSE_WRITE);
}

void ManifestFollower::Examine(const std::string& file, uint32_t events) {
  struct stat status;
  if (lstat(PathOf(file).c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      Remove(file);
    } else {
      unreadable_.insert(file);
      set_.Fail(file, std::string(ErrnoStatus("cannot be read").message()));
    }
    return;
  }
  const bool is_failing = unreadable_.contains(file);
  if (S_ISLNK(status.st_mode)) {
    if ((events & ~IN_ATTRIB) || is_failing) Read(file, true);
    return;
  }
  // A new file is written now and complete when it is closed. A second name of a
  // file, and what is no file, have nothing to wait for.
  const bool is_being_made = S_ISREG(status.st_mode) && status.st_nlink == 1;
  const bool is_complete = (events & (IN_CLOSE_WRITE | IN_MOVED_TO)) ||
                           ((events & IN_CREATE) && !is_being_made) ||
                           ((events & IN_ATTRIB) && is_failing);
  if (is_complete) Read(file, false);
}

void ManifestFollower::Read(const std::string& file, bool is_link) {
  if (is_link) {
    links_.insert(file);
    watch_.FollowLink(file);  // before the file is read, so that no change is missed
  } else if (links_.erase(file) > 0) {
    watch_.Forget(file);
  }
  const absl::StatusOr<std::string> text = ReadManifestFile(PathOf(file));
  if (text.ok()) {
    unreadable_.erase(file);
    set_.Set(file, DecodeManifest(file, *text));
    return;
  }
  const bool is_gone = absl::IsNotFound(text.status());
  if (is_gone && !is_link) {
    Remove(file);
    return;
  }
  if (is_gone) set_.Remove(file);  // and with it the file that was behind the link
  unreadable_.insert(file);
  set_.Fail(file,
            is_gone ? "a symbolic link that leads nowhere" : std::string(text.status().message()));
}

void ManifestFollower::Remove(const std::string& file) {
  set_.Remove(file);
  unreadable_.erase(file);
  if (links_.erase(file) > 0) watch_.Forget(file);
}

void ManifestFollower::ReportDirectory(Problems problems) {
  store_->SetProblems(watch_.path(), std::move(problems));
}

void ManifestFollower::Publish() {
  ManifestSet::Update update = set_.Take();
  if (!update.changes.empty()) store_->Apply(std::move(update.changes));
  for (auto& [file, problems] : update.problems) {
    // By path: another source may have a file of the same name.
    store_->SetProblems(PathOf(file), std::move(problems));
  }
}

std::string ManifestFollower::PathOf(const std::string& file) const {
  return absl::StrCat(watch_.path(), "/", file);
}

}  // namespace shunt
