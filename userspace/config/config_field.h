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

// A field of a kind of configuration.
struct ConfigField {
  std::string_view path;  // "iptables.syncPeriod"
  ConfigType type = ConfigType::kText;
  std::string_view default_text;  // as a flag would have it
  std::string_view flag;          // without dashes; "" where there is none
  ConfigUse use = ConfigUse::kNone;
  // As Go has it where the field is no pointer: what is zero or empty in the
  // file was not written.
  bool zero_is_default = false;
};

// A kind of document in a file of configuration.
struct ConfigKind {
  std::string_view api_version;
  std::string_view kind;
  absl::Span<const ConfigField> fields;  // those of a section one after the other
};

const ConfigKind& KubeProxyKind();  // KubeProxyConfiguration v1alpha1
// ShuntConfiguration v1alpha1: what kube-proxy has no word for. Each field is a
// flag of shuntd. No path is one of kube-proxy's.
const ConfigKind& ShuntKind();

// The fields of KubeProxyKind().
absl::Span<const ConfigField> ConfigFields();
// Null: there is none.
const ConfigField* FindConfigField(const ConfigKind& kind, std::string_view path);
// Whether fields begin with "PATH.".
bool IsConfigSection(const ConfigKind& kind, std::string_view path);

}  // namespace shunt

#endif  // SHUNT_CONFIG_CONFIG_FIELD_H_
