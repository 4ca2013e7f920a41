// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CONFIG_LOAD_H_
#define SHUNT_CONFIG_LOAD_H_

#include <string>
#include <string_view>

#include "userspace/config/proxy_config.h"
#include "userspace/model/object.h"

namespace shunt {

// What came of reading a configuration. The origin of a problem is "FILE:LINE".
struct LoadedConfig {
  ProxyConfig config;
  Problems errors;    // none: it can be used
  Problems warnings;  // unknown and repeated fields, in the order of the file
};

// Reads the text of a KubeProxyConfiguration as kube-proxy does: what it does
// not know is a warning, what has the wrong type or makes no sense an error. All
// errors are found. Pure.
LoadedConfig LoadProxyConfig(const std::string& file, std::string_view text);

// The errors of a configuration that came from wherever.
Problems ValidateProxyConfig(const std::string& file, const ProxyConfig& config);

// What was set and decides nothing here: one sentence, "" where there is nothing.
std::string FieldsWithoutMeaning(const ProxyConfig& config);

}  // namespace shunt

#endif  // SHUNT_CONFIG_LOAD_H_
