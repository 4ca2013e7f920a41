// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_MAPPED_ARRAY_H_
#define SHUNT_DATAPATH_MAPPED_ARRAY_H_

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace shunt {

// A BPF array as shared memory, as far as it is in use: the kernel makes every
// page of such a mapping resident at once, and most of our arrays is room to
// grow. Address space is reserved for all of it, so growing moves nothing.
//
// Belongs to one thread. The descriptor stays the caller's and outlives this.
class MappedArray {
 public:
  MappedArray() = default;
  MappedArray(MappedArray&& other) noexcept { Swap(other); }
  MappedArray& operator=(MappedArray&& other) noexcept {
    Swap(other);
    return *this;
  }
  ~MappedArray();

  // For the one process that writes: up to the last byte that is not zero.
  static absl::StatusOr<MappedArray> OpenInUse(int fd, size_t size);
  // For others, to read: all `size` bytes, as they do not see the array grow.
  static absl::StatusOr<MappedArray> OpenWhole(int fd, size_t size);

  // Makes the first `end` bytes accessible; `end` is within the array.
  absl::Status Reach(size_t end);

  // What is accessible.
  template <typename V>
  absl::Span<V> Elements() const {
    static_assert(sizeof(V) % 8 == 0, "the kernel rounds elements of an array up to 8 bytes");
    return {reinterpret_cast<V*>(data_), accessible_ / sizeof(V)};
  }

 private:
  static absl::StatusOr<MappedArray> Map(int fd, size_t size, int protection);
  absl::Status Trim(size_t end);
  size_t UsedBytes() const;
  void Swap(MappedArray& other);

  int fd_ = -1;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
  size_t accessible_ = 0;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_MAPPED_ARRAY_H_
