// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TELEMETRY_FD_SINK_H_
#define SHUNT_TELEMETRY_FD_SINK_H_

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "userspace/base/unique_fd.h"

namespace shunt {

// The end of LogWriter that meets the file descriptor: it waits for the reader
// with poll(), so that it can be told to stop waiting. (O_NONBLOCK is no way:
// the flag would be shared with whoever else holds this stderr.)
//
// spdlog calls it from the writer's thread only; the public functions are for
// others.
class FdSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit FdSink(int fd);

  // Waits until `count` lines were written or dropped, since it was made.
  // False: not within `timeout`.
  bool WaitUntilHandled(uint64_t count, absl::Duration timeout);
  // From now on lines are dropped, also one that waits for its reader.
  void Stop();

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}  // nothing is kept back

 private:
  bool WaitUntilWritable();
  void WriteAll(std::string_view text);

  const int fd_;
  const UniqueFd stop_;  // an eventfd
  absl::Mutex mutex_;
  uint64_t handled_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace shunt

#endif  // SHUNT_TELEMETRY_FD_SINK_H_
