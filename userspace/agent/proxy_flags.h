// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_PROXY_FLAGS_H_
#define SHUNT_AGENT_PROXY_FLAGS_H_

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/config/load.h"

namespace shunt {

// kube-proxy's flags, which set fields of its configuration. Those that `app`
// does not describe yet decide nothing here: they are accepted, and not shown in
// its help.
void DescribeProxyFlags(CLI::App& app);

// Sets what kube-proxy's flags in `app` say. The error names the flag.
absl::Status SetFromFlags(const CLI::App& app, ProxyConfig& config);

// Shunt's own options are fields of ShuntConfiguration, too, and the command line
// wins: takes its flags into `config`, and what the file alone says as flags that
// were given. The error names line and field.
absl::Status ExchangeShuntOptions(CLI::App& app, ProxyConfig& config);

// Flags that a file makes meaningless, as kube-proxy has it: all of them but
// those of the log and --hostname-override.
std::vector<std::string> FlagsThatAFileReplaces(const CLI::App& app);

// Whether the command line has that flag ("v", "hostname-override").
bool HasFlag(const CLI::App& app, const std::string& flag);

}  // namespace shunt

#endif  // SHUNT_AGENT_PROXY_FLAGS_H_
