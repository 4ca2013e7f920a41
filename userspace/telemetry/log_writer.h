// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TELEMETRY_LOG_WRITER_H_
#define SHUNT_TELEMETRY_LOG_WRITER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"

namespace spdlog {
class async_logger;
namespace details {
class thread_pool;
}  // namespace details
}  // namespace spdlog

namespace shunt {

class FdSink;

// Writes lines to a file descriptor from a thread of its own, so that a reader
// who stalls never stalls the caller: when the queue is full, the oldest line
// is lost and counted. Any thread may call it.
class LogWriter {
 public:
  static constexpr size_t kQueueLength = 2048;

  // Does not own `fd`.
  explicit LogWriter(int fd);
  // Gives up what the reader does not take; never waits for the reader.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Appends the newline.
  void Write(const std::string& line);
  // Waits until every line before this call was written or lost. False: not
  // within `timeout`.
  bool Flush(absl::Duration timeout);
  // Lines lost because the queue was full.
  size_t lost() const;

 private:
  std::atomic<uint64_t> lines_ = 0;
  std::shared_ptr<FdSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> thread_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace shunt

#endif  // SHUNT_TELEMETRY_LOG_WRITER_H_
