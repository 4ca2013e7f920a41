// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BPF_IO_URING_H_
#define SHUNT_TESTS_BPF_IO_URING_H_

#include <linux/io_uring.h>

#include "absl/status/statusor.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {

// One call at a time through io_uring. For one thread.
class IoUring {
 public:
  // Unimplemented or PermissionDenied where the kernel has none for us.
  static absl::StatusOr<IoUring> Make();
  ~IoUring();
  IoUring(IoUring&& other) noexcept;

  // Submits the call and waits for its end: what it returns, or -errno.
  int Run(const io_uring_sqe& call);

 private:
  IoUring() = default;

  UniqueFd fd_;
  io_uring_params params_ = {};
  char* rings_ = nullptr;
  size_t rings_size_ = 0;
  io_uring_sqe* calls_ = nullptr;
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_BPF_IO_URING_H_
