// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CONFIG_CONFIG_FIELD_H_
#define SHUNT_CONFIG_CONFIG_FIELD_H_

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"

namespace shunt {

enum class ConfigType : uint8_t {
  kBool,
  kInteger,
  kNumber,
  kText,
  kDuration,     // "30s"
  kNanoseconds,  // a duration, or a number of nanoseconds
  kQuantity,     // "64Ki", or a number
  kList,         // of texts
  kGates,        // a map of names to bools
  kVModule,      // a list of maps with filePattern and verbosity
};

// Whether a field of kube-proxy's decides anything here.
enum class ConfigUse : uint8_t {
  kUsed,
  kNone,     // there is nothing here that it could mean
  kWindows,  // nor for kube-proxy on Linux
};

// A field of KubeProxyConfiguration v1alpha1.
struct ConfigField {
  std::string_view path;  // "iptables.syncPeriod"
  ConfigType type = ConfigType::kText;
  std::string_view default_text;  // as a flag would have it
  std::string_view flag;          // of kube-proxy, without dashes; "" where there is none
  ConfigUse use = ConfigUse::kNone;
  // As Go has it where the field is no pointer: what is zero or empty in the
  // file was not written.
  bool zero_is_default = false;
};

// All of them, those of a section one after the other.
absl::Span<const ConfigField> ConfigFields();
const ConfigField* FindConfigField(std::string_view path);  // null: there is none
// Whether fields begin with "PATH.".
bool IsConfigSection(std::string_view path);

}  // namespace shunt

#endif  // SHUNT_CONFIG_CONFIG_FIELD_H_
