// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_DIRECTORY_WATCH_H_
#define SHUNT_SOURCES_MANIFESTS_DIRECTORY_WATCH_H_

#include <sys/inotify.h>

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/base/unique_fd.h"

namespace shunt {

// What happened in a directory.
struct DirectoryEvents {
  // All has to be looked at again: events were lost, the directory is another
  // one, or links may lead elsewhere.
  bool everything = false;
  // By file name, the events' bits (IN_CLOSE_WRITE, ...), joined. Where what a
  // followed link leads to was written, or is another file now, IN_CLOSE_WRITE.
  absl::btree_map<std::string, uint32_t> files;

  bool empty() const { return !everything && files.empty(); }
};

// Follows a directory with inotify, through its being removed and made again,
// and the targets of links in it. Belongs to one thread.
class DirectoryWatch {
 public:
  // The directory has to be there.
  static absl::StatusOr<DirectoryWatch> Open(const std::string& directory);

  int fd() const { return inotify_.get(); }  // readable when there are events

  // Adds to `events` what is queued. Never waits.
  absl::Status Read(DirectoryEvents& events);

  const std::string& path() const { return path_; }  // absolute
  // Whether the directory is there.
  bool present() const { return directory_ >= 0; }
  // Checks it anew, for when no event tells. True if it is another one than
  // before; errno says why it is not there.
  bool Look();

  // Follows what the link `name` leads to, until Forget().
  void FollowLink(const std::string& name);
  void Forget(const std::string& name);

 private:
  DirectoryWatch(UniqueFd inotify, std::string directory);

  void Handle(const inotify_event& event, DirectoryEvents& events);
  void HandleInDirectory(const inotify_event& event, DirectoryEvents& events);
  void HandleTarget(const inotify_event& event, DirectoryEvents& events);

  UniqueFd inotify_;
  std::string path_;
  std::string parent_path_;
  std::string base_name_;
  int directory_ = -1;  // watch descriptors; -1: none
  int parent_ = -1;
  absl::flat_hash_map<std::string, int> links_;                     // by name
  absl::flat_hash_map<int, absl::btree_set<std::string>> targets_;  // by watch
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_DIRECTORY_WATCH_H_
