// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TELEMETRY_LOGGING_H_
#define SHUNT_TELEMETRY_LOGGING_H_

#include <initializer_list>
#include <source_location>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "userspace/telemetry/log_record.h"

// The log, on stderr:
//
//   LogInfo("serving", {{"services", 12}, {"took", took}});
//   LogError("cannot attach", {{"cgroup", path}, {"err", status}});
//   LogVerbose(2, "service planned", {{"service", name}});
//
// One record is one line, for each decision that an operator cares about: none
// per object at verbosity 0. Keys are camelCase, a status has the key `err`,
// and no value may hold a secret. Any thread may log, at any time, and never
// waits for whoever reads stderr: lines that he does not take are lost, and
// their number is logged when he reads again.
namespace shunt {

// "text" or "json".
absl::StatusOr<LogFormat> ParseLogFormat(std::string_view name);

// Until then: text, verbosity 0.
void ConfigureLogging(LogFormat format, int verbosity);

using LogFields = std::initializer_list<LogField>;

void LogInfo(std::string_view message, LogFields fields = {},
             std::source_location caller = std::source_location::current());
void LogWarning(std::string_view message, LogFields fields = {},
                std::source_location caller = std::source_location::current());
void LogError(std::string_view message, LogFields fields = {},
              std::source_location caller = std::source_location::current());
// An info record where the verbosity (--v) is `level` or more: 2 for what
// changed, 4 for each object, as in Kubernetes.
void LogVerbose(int level, std::string_view message, LogFields fields = {},
                std::source_location caller = std::source_location::current());
// To save the making of expensive fields.
bool LogsVerbose(int level);

// Waits until what was logged is written, at most `timeout`. A process that
// exits does it by itself, for at most 200 ms.
void FlushLogs(absl::Duration timeout);

}  // namespace shunt

#endif  // SHUNT_TELEMETRY_LOGGING_H_
