// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_CONFIG_FILE_H_
#define SHUNT_AGENT_CONFIG_FILE_H_

#include <string>
#include <vector>

#include "userspace/config/load.h"

namespace shunt {

// What a KubeProxyConfiguration in a file says; where it cannot be read, an
// error.
LoadedConfig LoadProxyConfigFile(const std::string& path);

// One line for each.
std::string ProblemLines(const Problems& problems);

// What an operator has to be told of a configuration that is used: one line
// each. `replaced`: flags that are ignored for it.
std::vector<std::string> WarningsOf(const Problems& warnings, const ProxyConfig& config,
                                    const std::vector<std::string>& replaced);

// `shuntd check-config FILE`: prints the configuration as it is understood on
// stdout and what is wrong on stderr. Returns the exit code: 1 for errors.
int CheckConfigFile(const std::string& path);

}  // namespace shunt

#endif  // SHUNT_AGENT_CONFIG_FILE_H_
