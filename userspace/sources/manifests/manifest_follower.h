// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_MANIFEST_FOLLOWER_H_
#define SHUNT_SOURCES_MANIFESTS_MANIFEST_FOLLOWER_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_set.h"
#include "userspace/sources/manifests/directory_watch.h"
#include "userspace/sources/manifests/manifest_set.h"
#include "userspace/store/store.h"

namespace shunt {

// Reads the manifests of a directory as they come, change and go, and tells the
// store. Belongs to one thread.
class ManifestFollower {
 public:
  ManifestFollower(DirectoryWatch watch, Store& store);

  // Until `stop_fd` is readable.
  void Run(int stop_fd);

 private:
  // Waits for events, at most as long as something is to be tried again. False:
  // to be stopped.
  bool Wait(int stop_fd);
  DirectoryEvents ReadEvents();
  void Retry();

  void Follow(const DirectoryEvents& events);
  void ReadEverything();
  // Something happened to a file: `events` are inotify's bits.
  void Examine(const std::string& file, uint32_t events);
  void Read(const std::string& file, bool is_link);
  void Remove(const std::string& file);
  void ReportDirectory(Problems problems);
  void Publish();

  std::string PathOf(const std::string& file) const;

  DirectoryWatch watch_;
  Store* store_;
  ManifestSet set_;
  absl::btree_set<std::string> links_;       // files that are symbolic links
  absl::btree_set<std::string> unreadable_;  // files to be tried again
  bool directory_unreadable_ = false;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_MANIFEST_FOLLOWER_H_
