// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/manifest_source.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include <utility>

#include "userspace/base/status.h"

namespace shunt {

absl::StatusOr<std::unique_ptr<ManifestSource>> ManifestSource::Start(std::string directory,
                                                                      Store& store) {
  UniqueFd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop.ok()) return ErrnoStatus("eventfd");
  SHUNT_ASSIGN_OR_RETURN(DirectoryWatch watch, DirectoryWatch::Open(directory));
  return std::unique_ptr<ManifestSource>(
      new ManifestSource(std::move(stop), ManifestFollower(std::move(watch), store)));
}

ManifestSource::ManifestSource(UniqueFd stop, ManifestFollower follower)
    : stop_(std::move(stop)), follower_(std::move(follower)), thread_([this] {
        pthread_setname_np(pthread_self(), "shunt-manifests");
        follower_.Run(stop_.get());
      }) {}

ManifestSource::~ManifestSource() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

}  // namespace shunt
