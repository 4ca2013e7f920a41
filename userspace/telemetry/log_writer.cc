// SPDX-License-Identifier: Apache-2.0
#include "userspace/telemetry/log_writer.h"

#include <signal.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>

#include <algorithm>

#include "userspace/telemetry/fd_sink.h"

namespace shunt {
namespace {

// Signals are for the threads that wait for them: a new thread inherits the
// mask of its maker, so there is no moment at which it could take one.
std::shared_ptr<spdlog::details::thread_pool> StartThread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto thread = std::make_shared<spdlog::details::thread_pool>(LogWriter::kQueueLength, 1);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

LogWriter::LogWriter(int fd)
    : sink_(std::make_shared<FdSink>(fd)),
      thread_(StartThread()),
      logger_(std::make_shared<spdlog::async_logger>(
          "shunt", sink_, thread_, spdlog::async_overflow_policy::overrun_oldest)) {}

LogWriter::~LogWriter() { sink_->Stop(); }

void LogWriter::Write(const std::string& line) {
  ++lines_;
  logger_->log(spdlog::level::info, spdlog::string_view_t(line + '\n'));
}

// The queue keeps its order and loses its oldest lines, so once this many were
// handled, all before this call were handled or lost. A line that is lost
// while we wait made room in a full queue: enough others follow.
bool LogWriter::Flush(absl::Duration timeout) {
  const uint64_t lines = lines_;
  return sink_->WaitUntilHandled(lines - std::min<uint64_t>(lines, lost()), timeout);
}

size_t LogWriter::lost() const { return thread_->overrun_counter(); }

}  // namespace shunt
