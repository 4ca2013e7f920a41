// SPDX-License-Identifier: Apache-2.0
#include "userspace/telemetry/logging.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "absl/time/clock.h"
#include "userspace/telemetry/log_writer.h"

namespace shunt {
namespace {

std::atomic<LogFormat> log_format = LogFormat::kText;
std::atomic<int> log_verbosity = 0;

// Never destroyed: threads may log until the process is gone.
LogWriter& Writer() {
  static LogWriter* writer = [] {
    auto* made = new LogWriter(STDERR_FILENO);
    std::atexit([] { FlushLogs(absl::Milliseconds(200)); });
    return made;
  }();
  return *writer;
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

struct Event {
  LogSeverity severity = LogSeverity::kInfo;
  int verbosity = 0;
  std::string_view message;
};

std::string Format(const Event& event, LogFields fields, const std::source_location& caller) {
  return FormatRecord(log_format.load(std::memory_order_relaxed),
                      {.severity = event.severity,
                       .verbosity = event.verbosity,
                       .time = absl::Now(),
                       .thread_id = gettid(),
                       .file = BaseName(caller.file_name()),
                       .line = caller.line(),
                       .message = event.message,
                       .fields = fields});
}

// Says how many lines were lost, before the next one that is not.
void ReportLostLines() {
  static std::atomic<size_t> reported = 0;
  const size_t lost = Writer().lost();
  const size_t before = reported.exchange(lost);
  if (lost <= before) return;
  Writer().Write(Format({LogSeverity::kWarning, 0, "log lines lost: nobody read stderr in time"},
                        {{"lines", lost - before}}, std::source_location::current()));
}

void Log(const Event& event, LogFields fields, const std::source_location& caller) {
  ReportLostLines();
  Writer().Write(Format(event, fields, caller));
}

}  // namespace

absl::StatusOr<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return absl::InvalidArgumentError(fmt::format("\"{}\" is not text or json", name));
}

void ConfigureLogging(LogFormat format, int verbosity) {
  log_format = format;
  log_verbosity = verbosity;
}

void LogInfo(std::string_view message, LogFields fields, std::source_location caller) {
  Log({LogSeverity::kInfo, 0, message}, fields, caller);
}

void LogWarning(std::string_view message, LogFields fields, std::source_location caller) {
  Log({LogSeverity::kWarning, 0, message}, fields, caller);
}

void LogError(std::string_view message, LogFields fields, std::source_location caller) {
  Log({LogSeverity::kError, 0, message}, fields, caller);
}

void LogVerbose(int level, std::string_view message, LogFields fields,
                std::source_location caller) {
  if (LogsVerbose(level)) Log({LogSeverity::kInfo, level, message}, fields, caller);
}

bool LogsVerbose(int level) { return log_verbosity.load(std::memory_order_relaxed) >= level; }

void FlushLogs(absl::Duration timeout) { Writer().Flush(timeout); }

}  // namespace shunt
