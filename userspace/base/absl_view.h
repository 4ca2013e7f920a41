// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_ABSL_VIEW_H_
#define SHUNT_BASE_ABSL_VIEW_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace shunt {

// The view as Abseil wants it. Debian builds Abseil as C++14, where its
// string_view is a type of its own that a std::string_view does not turn into.
inline absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view Std(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace shunt

#endif  // SHUNT_BASE_ABSL_VIEW_H_
