// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_CONFIG_FILE_H_
#define SHUNT_AGENT_CONFIG_FILE_H_

#include <string>
#include <vector>

#include "userspace/config/load.h"

namespace shunt {

// What the files say together; where one cannot be read, an error. Not complete
// yet: CompleteConfig().
LoadedConfig LoadConfigFiles(const std::vector<std::string>& paths);

// One line for each.
std::string ProblemLines(const Problems& problems);

// What an operator has to be told of a configuration that is used: one line
// each. `replaced`: flags that are ignored for it.
std::vector<std::string> WarningsOf(const Problems& warnings, const ProxyConfig& config,
                                    const std::vector<std::string>& replaced);

// `shuntd check-config FILE...`: prints the configuration as it is understood on
// stdout and what is wrong on stderr. Returns the exit code: 1 for errors.
int CheckConfigFiles(const std::vector<std::string>& paths);

// `--write-config-to FILE`: writes what check-config prints. Returns the exit
// code.
int WriteConfigFile(const std::string& path, const ProxyConfig& config);

}  // namespace shunt

#endif  // SHUNT_AGENT_CONFIG_FILE_H_
