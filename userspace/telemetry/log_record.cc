// SPDX-License-Identifier: Apache-2.0
#include "userspace/telemetry/log_record.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

namespace shunt {
namespace {

using Json = nlohmann::ordered_json;

// A JSON string is also what klog's quoting gives for all but odd bytes, and
// where Go would write \x.. it keeps the text valid UTF-8.
std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// JSON escapes what is below 0x20; DEL and the C1 controls (0x80 to 0x9f, in
// UTF-8 C2 80 to C2 9f) also steer terminals.
std::string EscapeTerminalControls(std::string text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == 0x7f) {
      result += "\\u007f";
    } else if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
      fmt::format_to(std::back_inserter(result), "\\u{:04x}", next);
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

Json ToJson(const LogValue& value) {
  return std::visit(
      [](const auto& v) -> Json {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, double>) {
          // JSON has no NaN and no infinity; "NaN" says more than null.
          return std::isfinite(v) ? Json(v) : Json(fmt::format("{}", v));
        } else {
          return v;
        }
      },
      value.variant());
}

char SeverityLetter(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kInfo:
      return 'I';
    case LogSeverity::kWarning:
      return 'W';
    case LogSeverity::kError:
      return 'E';
  }
  return '?';
}

std::string_view SeverityName(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kInfo:
      return "info";
    case LogSeverity::kWarning:
      return "warning";
    case LogSeverity::kError:
      return "error";
  }
  return "?";
}

std::string FormatText(const LogRecord& record) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  std::string line = fmt::format("{}{} {:7} {}:{}] {}", SeverityLetter(record.severity),
                                 absl::FormatTime("%m%d %H:%M:%E6S", record.time, utc),
                                 record.thread_id, record.file, record.line, Dump(record.message));
  for (const LogField& field : record.fields) {
    line += fmt::format(" {}={}", field.key, Dump(ToJson(field.value)));
  }
  return line;
}

// Three digits after the point, as text: a double's shortest form would show
// binary noise.
std::string Milliseconds(absl::Time time) {
  const int64_t micros = absl::ToUnixMicros(time);
  return fmt::format("{}.{:03}", micros / 1000, micros % 1000);
}

std::string FormatJson(const LogRecord& record) {
  Json json;
  json["level"] = SeverityName(record.severity);
  json["caller"] = fmt::format("{}:{}", record.file, record.line);
  json["msg"] = record.message;
  if (record.severity == LogSeverity::kInfo) {
    json["v"] = record.verbosity;
  }
  for (const LogField& field : record.fields) {
    json.emplace(std::string(field.key), ToJson(field.value));  // the first one keeps a key
  }
  return fmt::format(R"({{"ts":{},{})", Milliseconds(record.time), Dump(json).substr(1));
}

}  // namespace

std::string FormatRecord(LogFormat format, const LogRecord& record) {
  return EscapeTerminalControls(format == LogFormat::kJson ? FormatJson(record)
                                                           : FormatText(record));
}

}  // namespace shunt
