// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_PROGRAM_JSON_H_
#define SHUNT_CLI_PROGRAM_JSON_H_

#include "userspace/cli/json.h"
#include "userspace/datapath/inspect.h"

namespace shunt {

// A program as the object that -o json prints, here and in `status`.
inline Json ProgramJson(const ProgramInfo& program) {
  return {{"name", program.name},
          {"hook", program.hook},
          {"pin", program.pin},
          {"tag", program.tag},
          {"verifiedInstructions", program.verified_instructions},
          {"runCount", program.run_count},
          {"runTimeNs", program.run_time_ns}};
}

}  // namespace shunt

#endif  // SHUNT_CLI_PROGRAM_JSON_H_
