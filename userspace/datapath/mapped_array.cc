// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/mapped_array.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "userspace/base/status.h"

namespace shunt {
namespace {

// Whole pages on every architecture; 32,768 slots or 8,192 backends.
constexpr size_t kStep = 256 << 10;

size_t RoundUpToStep(size_t bytes) { return (bytes + kStep - 1) / kStep * kStep; }

// Takes the memory away and keeps the addresses.
bool Reserve(std::byte* from, size_t size) {
  return mmap(from, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
              0) != MAP_FAILED;
}

}  // namespace

MappedArray::~MappedArray() {
  if (data_ != nullptr) munmap(data_, size_);
}

absl::StatusOr<MappedArray> MappedArray::OpenInUse(int fd, size_t size) {
  SHUNT_ASSIGN_OR_RETURN(MappedArray array, Map(fd, size, PROT_READ | PROT_WRITE));
  SHUNT_RETURN_IF_ERROR(array.Trim(array.UsedBytes()));
  return array;
}

absl::StatusOr<MappedArray> MappedArray::OpenWhole(int fd, size_t size) {
  return Map(fd, size, PROT_READ);
}

absl::StatusOr<MappedArray> MappedArray::Map(int fd, size_t size, int protection) {
  void* memory = mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return ErrnoStatus("mmap of a BPF map");
  MappedArray array;
  array.fd_ = fd;
  array.data_ = static_cast<std::byte*>(memory);
  array.size_ = array.accessible_ = size;
  return array;
}

absl::Status MappedArray::Reach(size_t end) {
  if (end <= accessible_) return absl::OkStatus();
  const size_t wanted = std::min(RoundUpToStep(end), size_);
  std::byte* from = data_ + accessible_;
  const size_t more = wanted - accessible_;
  if (mmap(from, more, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd_,
           static_cast<off_t>(accessible_)) == MAP_FAILED) {
    const int error = errno;
    Reserve(from, more);  // some kernels leave a gap, which is not for others to take
    return ErrnoStatus("mmap of a BPF map", error);
  }
  accessible_ = wanted;
  return absl::OkStatus();
}

absl::Status MappedArray::Trim(size_t end) {
  const size_t kept = RoundUpToStep(end);
  if (kept >= size_) return absl::OkStatus();
  if (!Reserve(data_ + kept, size_ - kept)) return ErrnoStatus("reserve memory for a BPF map");
  accessible_ = kept;
  return absl::OkStatus();
}

size_t MappedArray::UsedBytes() const {
  const absl::Span<const uint64_t> words = Elements<const uint64_t>();
  const auto last =
      std::find_if(words.rbegin(), words.rend(), [](uint64_t word) { return word != 0; });
  return static_cast<size_t>(words.rend() - last) * sizeof(uint64_t);
}

void MappedArray::Swap(MappedArray& other) {
  std::swap(fd_, other.fd_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(accessible_, other.accessible_);
}

}  // namespace shunt
