// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_MANIFEST_SOURCE_H_
#define SHUNT_SOURCES_MANIFESTS_MANIFEST_SOURCE_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "userspace/base/unique_fd.h"
#include "userspace/sources/manifests/manifest_follower.h"
#include "userspace/store/store.h"

namespace shunt {

// Services, EndpointSlices and Nodes from the manifests of a directory, followed
// from a thread of its own. README.md says what is read and when.
class ManifestSource {
 public:
  // Fails where there is no such directory, or it cannot be followed. What is
  // wrong in the files, and from then on with the directory, are problems in the
  // store. `store` outlives the source, and is synced once all files were read.
  static absl::StatusOr<std::unique_ptr<ManifestSource>> Start(std::string directory, Store& store);
  // Waits for the thread. What is in the store stays.
  ~ManifestSource();
  ManifestSource(const ManifestSource&) = delete;
  ManifestSource& operator=(const ManifestSource&) = delete;

 private:
  ManifestSource(UniqueFd stop, ManifestFollower follower);

  const UniqueFd stop_;  // an eventfd
  ManifestFollower follower_;
  std::thread thread_;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_MANIFEST_SOURCE_H_
