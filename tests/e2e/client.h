// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_E2E_CLIENT_H_
#define SHUNT_TESTS_E2E_CLIENT_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/support/dial.h"

namespace shunt::testing {

// Connects to one address again and again, from a thread of its own.
class Client {
 public:
  explicit Client(const HostPort& to) : thread_([this, to] { Run(to); }) {}
  ~Client() { Stop(); }

  // To be called before the figures are read for the last time.
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  uint64_t attempts() const { return attempts_; }
  uint64_t failures() const { return failures_; }
  std::string first_failure() {
    absl::MutexLock lock(&mutex_);
    return first_failure_;
  }

 private:
  void Run(const HostPort& to) {
    for (; !stop_; ++attempts_) {
      const DialResult result = Dial(to);
      if (result.error == 0 && result.peer == to.ToString()) continue;
      absl::MutexLock lock(&mutex_);
      if (failures_++ == 0) first_failure_ = result.ToString();
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> attempts_ = 0, failures_ = 0;
  absl::Mutex mutex_;
  std::string first_failure_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_E2E_CLIENT_H_
