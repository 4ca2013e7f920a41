// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CONFIG_LOAD_H_
#define SHUNT_CONFIG_LOAD_H_

#include <string>
#include <string_view>
#include <vector>

#include "userspace/config/proxy_config.h"
#include "userspace/model/object.h"

namespace shunt {

// The text of a file.
struct ConfigText {
  std::string file;
  std::string_view text;
};

// What came of reading a configuration. The origin of a problem is "FILE:LINE".
struct LoadedConfig {
  ProxyConfig config;
  std::string kube_proxy_file;  // where a KubeProxyConfiguration was; "": nowhere
  Problems errors;              // none: it can be used
  Problems warnings;            // unknown and repeated fields, in the order of the file
};

// Reads a KubeProxyConfiguration, a ShuntConfiguration or one of each, in as many
// files as one likes, as kube-proxy does: what it does not know is a warning, what
// has the wrong type or makes no sense an error. All errors are found. Pure.
LoadedConfig LoadProxyConfig(const std::vector<ConfigText>& files);

// What follows from what was read and, where no KubeProxyConfiguration was there,
// set from flags since; adds the errors of values that make no sense.
void CompleteConfig(LoadedConfig& loaded);

// The errors of a complete configuration that came from wherever.
Problems ValidateProxyConfig(const std::string& file, const ProxyConfig& config);

// What was set and decides nothing here: one sentence, "" where there is nothing.
std::string FieldsWithoutMeaning(const ProxyConfig& config);

}  // namespace shunt

#endif  // SHUNT_CONFIG_LOAD_H_
