// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_YAML_SCALAR_H_
#define SHUNT_SOURCES_MANIFESTS_YAML_SCALAR_H_

#include <cstdint>
#include <string_view>
#include <variant>

#include "userspace/sources/manifests/yaml_node.h"

namespace shunt {

struct YamlNull {};

// What a scalar is when Kubernetes reads it: with quotation marks always text;
// without them null, a bool (YAML 1.1: also yes, no, on, off), a number, or else
// text. A text of digits in quotation marks is no number, nor the reverse.
// The text is the node's.
using YamlScalar = std::variant<YamlNull, bool, int64_t, double, std::string_view>;

YamlScalar ResolveScalar(const YamlNode& node);

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_YAML_SCALAR_H_
