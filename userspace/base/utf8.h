// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_UTF8_H_
#define SHUNT_BASE_UTF8_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace shunt {

// Where `bytes` stops being text: the first byte that is not valid UTF-8, or is
// a control character other than tab, line feed and carriage return.
std::optional<size_t> FindNonText(std::string_view bytes);

}  // namespace shunt

#endif  // SHUNT_BASE_UTF8_H_
