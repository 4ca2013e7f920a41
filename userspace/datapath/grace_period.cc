// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/grace_period.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "absl/time/clock.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

long Membarrier(int command) { return syscall(__NR_membarrier, command, 0, 0); }

absl::Status MembarrierGlobal() {
  if (Membarrier(MEMBARRIER_CMD_GLOBAL) == 0) return absl::OkStatus();
  return ErrnoStatus("membarrier");
}

}  // namespace

RcuWait MembarrierOr(RcuWait fallback) {
  const long commands = Membarrier(MEMBARRIER_CMD_QUERY);
  if (commands >= 0 && (commands & MEMBARRIER_CMD_GLOBAL) != 0) return MembarrierGlobal;
  return fallback;
}

RcuGracePeriod::RcuGracePeriod(RcuWait wait, absl::Duration instead)
    : wait_(std::move(wait)), instead_(instead), thread_([this] { Run(); }) {}

RcuGracePeriod::~RcuGracePeriod() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

uint64_t RcuGracePeriod::Begin() {
  absl::MutexLock lock(&mutex_);
  asked_ = begun_ + 1;
  return asked_;
}

bool RcuGracePeriod::HasEnded(uint64_t ticket) {
  absl::MutexLock lock(&mutex_);
  return ended_ >= ticket;
}

void RcuGracePeriod::WaitFor(uint64_t ticket) {
  absl::MutexLock lock(&mutex_);
  const auto ended = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ >= ticket; };
  mutex_.Await(absl::Condition(&ended));
}

void RcuGracePeriod::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &RcuGracePeriod::HasWork));
      if (stopping_) return;
      ++begun_;
    }
    if (!wait_().ok()) absl::SleepFor(instead_);
    absl::MutexLock lock(&mutex_);
    ended_ = begun_;
  }
}

}  // namespace shunt
