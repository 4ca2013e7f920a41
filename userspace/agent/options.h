// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_OPTIONS_H_
#define SHUNT_AGENT_OPTIONS_H_

#include <string>
#include <variant>

#include "userspace/telemetry/logging.h"

namespace shunt {

// What shuntd was told on its command line, with the defaults filled in. Names
// are kube-proxy's where it has such an option.
struct Options {
  enum class Action { kServe, kCleanup, kInitOnly };

  Action action = Action::kServe;
  std::string manifests;  // directory
  std::string node_name;  // lower case, as kube-proxy makes it
  std::string cgroup;     // of the processes that are served
  std::string bpffs = "/sys/fs/bpf/shunt";
  std::string api_socket = "/run/shunt/shunt.sock";
  LogFormat log_format = LogFormat::kText;
  int verbosity = 0;
};

// The options, or the exit code where the command line asked for no more than a
// text (--help, --version) or made no sense (2; the reason went to stderr).
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace shunt

#endif  // SHUNT_AGENT_OPTIONS_H_
