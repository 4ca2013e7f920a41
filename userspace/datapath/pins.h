// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_PINS_H_
#define SHUNT_DATAPATH_PINS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/base/unique_fd.h"

namespace shunt {

// A directory of pins on a bpf file system. A pin that is replaced is never
// missing for a moment. Value type, thread-compatible.
class PinDirectory {
 public:
  explicit PinDirectory(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string PathOf(std::string_view name) const { return path_ + "/" + std::string(name); }

  // Makes the directory. FailedPrecondition, with the command that helps, where
  // its parent is not on a bpf file system.
  absl::Status Create() const;
  // Keeps other agents out until the descriptor is closed. Unavailable where
  // one is there; NotFound where the directory is not.
  absl::StatusOr<UniqueFd> Lock() const;
  // NotFound where there is no such pin.
  absl::StatusOr<UniqueFd> Open(std::string_view name) const;
  absl::StatusOr<UniqueFd> OpenReadOnly(std::string_view name) const;
  absl::Status Put(std::string_view name, int fd) const;
  // Removing what is not there succeeds.
  absl::Status Remove(std::string_view name) const;

 private:
  absl::StatusOr<UniqueFd> OpenWith(std::string_view name, unsigned flags) const;

  std::string path_;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_PINS_H_
