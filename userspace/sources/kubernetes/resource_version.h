// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_RESOURCE_VERSION_H_
#define SHUNT_SOURCES_KUBERNETES_RESOURCE_VERSION_H_

#include <cstdint>
#include <string_view>

#include "absl/strings/numbers.h"
#include "userspace/base/absl_view.h"

namespace shunt {

// Whether one resourceVersion is from before another. They are decimal numbers that
// grow with each write; what is not, as another kind of server may have it, is never
// older.
inline bool IsOlder(std::string_view version, std::string_view than) {
  uint64_t a = 0, b = 0;
  return absl::SimpleAtoi(Absl(version), &a) && absl::SimpleAtoi(Absl(than), &b) && a < b;
}

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_RESOURCE_VERSION_H_
