// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_STATUS_JSON_H_
#define SHUNT_CLI_STATUS_JSON_H_

#include <vector>

#include "absl/status/statusor.h"
#include "userspace/cli/json.h"
#include "userspace/cli/source.h"

namespace shunt {

// "connect4"
const char* HookName(size_t hook);

// The status as the object that -o json prints. Pure.
Json StatusJson(const StatusReport& report,
                const absl::StatusOr<std::vector<ProgramInfo>>& programs);

}  // namespace shunt

#endif  // SHUNT_CLI_STATUS_JSON_H_
