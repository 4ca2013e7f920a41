// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_REAPER_OPTIONS_H_
#define SHUNT_REAPER_OPTIONS_H_

#include <string>
#include <variant>

#include "userspace/telemetry/logging.h"

namespace shunt {

// What shunt-reaper was told on its command line.
struct ReaperOptions {
  std::string bpffs = "/sys/fs/bpf/shunt";
  std::string socket = "/run/shunt/reaper.sock";
  LogFormat log_format = LogFormat::kText;
  int verbosity = 0;
};

// The options, or the exit code where the command line asked for no more than a
// text (--help, --version: 0) or made no sense (2; the reason went to stderr).
std::variant<ReaperOptions, int> ParseReaperOptions(int argc, const char* const* argv);

}  // namespace shunt

#endif  // SHUNT_REAPER_OPTIONS_H_
