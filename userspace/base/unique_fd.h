// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_UNIQUE_FD_H_
#define SHUNT_BASE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace shunt {

// Owns a file descriptor: closes it when it goes.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }

  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace shunt

#endif  // SHUNT_BASE_UNIQUE_FD_H_
