// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_YAML_H_
#define SHUNT_CLI_YAML_H_

#include "userspace/cli/json.h"

namespace YAML {
class Emitter;
}

namespace shunt {

// Writes `value` in block style. A string is quoted unless it can be nothing
// but a string, and escaped so that any bytes give valid YAML.
void EmitYaml(const Json& value, YAML::Emitter& emitter);

}  // namespace shunt

#endif  // SHUNT_CLI_YAML_H_
