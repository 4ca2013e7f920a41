// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/io_uring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"

namespace shunt::testing {
namespace {

constexpr unsigned kEntries = 4;
constexpr size_t kCallsSize = kEntries * sizeof(io_uring_sqe);

std::atomic_ref<uint32_t> Word(char* rings, uint32_t offset) {
  return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(rings + offset));
}

void* Map(int fd, size_t size, off_t what) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, what);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

absl::StatusOr<IoUring> IoUring::Make() {
  IoUring ring;
  ring.fd_ = UniqueFd(static_cast<int>(syscall(SYS_io_uring_setup, kEntries, &ring.params_)));
  if (!ring.fd_.ok()) return absl::ErrnoToStatus(errno, "io_uring_setup");
  // Both rings have been in one mapping since Linux 5.4.
  ring.rings_size_ =
      std::max<size_t>(ring.params_.sq_off.array + ring.params_.sq_entries * sizeof(uint32_t),
                       ring.params_.cq_off.cqes + ring.params_.cq_entries * sizeof(io_uring_cqe));
  ring.rings_ = static_cast<char*>(Map(ring.fd_.get(), ring.rings_size_, IORING_OFF_SQ_RING));
  ring.calls_ = static_cast<io_uring_sqe*>(Map(ring.fd_.get(), kCallsSize, IORING_OFF_SQES));
  if (ring.rings_ == nullptr || ring.calls_ == nullptr) {
    return absl::ErrnoToStatus(errno, "mmap of an io_uring");
  }
  return ring;
}

IoUring::IoUring(IoUring&& other) noexcept
    : fd_(std::move(other.fd_)),
      params_(other.params_),
      rings_(std::exchange(other.rings_, nullptr)),
      rings_size_(other.rings_size_),
      calls_(std::exchange(other.calls_, nullptr)) {}

IoUring::~IoUring() {
  if (rings_ != nullptr) munmap(rings_, rings_size_);
  if (calls_ != nullptr) munmap(calls_, kCallsSize);
}

int IoUring::Run(const io_uring_sqe& call) {
  const auto& sq = params_.sq_off;
  const auto& cq = params_.cq_off;
  const uint32_t tail = Word(rings_, sq.tail).load();
  const uint32_t place = tail & Word(rings_, sq.ring_mask).load();
  calls_[place] = call;
  Word(rings_, sq.array + place * sizeof(uint32_t)).store(place);
  Word(rings_, sq.tail).store(tail + 1);
  if (syscall(SYS_io_uring_enter, fd_.get(), 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) < 0) {
    return -errno;
  }
  const uint32_t head = Word(rings_, cq.head).load();
  const auto* results = reinterpret_cast<const io_uring_cqe*>(rings_ + cq.cqes);
  const int result = results[head & Word(rings_, cq.ring_mask).load()].res;
  Word(rings_, cq.head).store(head + 1);
  return result;
}

}  // namespace shunt::testing
