// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/object.h"

#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace shunt {

std::string Problem::ToString() const {
  std::vector<absl::string_view> parts;
  for (const std::string* part : {&origin, &object, &field, &message}) {
    if (!part->empty()) parts.push_back(*part);
  }
  return absl::StrJoin(parts, ": ");
}

}  // namespace shunt
