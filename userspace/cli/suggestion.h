// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_SUGGESTION_H_
#define SHUNT_CLI_SUGGESTION_H_

#include <string>
#include <string_view>
#include <vector>

namespace shunt {

// The word that was probably meant: one that is at most two typing mistakes
// away, or that begins with `typed`. "" where none is near.
std::string Nearest(std::string_view typed, const std::vector<std::string>& words);

}  // namespace shunt

#endif  // SHUNT_CLI_SUGGESTION_H_
