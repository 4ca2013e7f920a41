// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_FILES_H_
#define SHUNT_TESTS_SUPPORT_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {

absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes the file in place and closes it, as an editor would.
absl::Status WriteFile(const std::string& path, const std::string& text);

// An open file without a name that holds `text`, at its beginning.
absl::StatusOr<UniqueFd> MakeMemoryFile(const std::string& text);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_FILES_H_
