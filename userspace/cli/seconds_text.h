// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_SECONDS_TEXT_H_
#define SHUNT_CLI_SECONDS_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace shunt {

// "1h2m3s", "0s": whole seconds, for a cell.
inline std::string SecondsText(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  return whole == 0 ? "0s" : absl::FormatDuration(absl::Seconds(whole));
}

}  // namespace shunt

#endif  // SHUNT_CLI_SECONDS_TEXT_H_
