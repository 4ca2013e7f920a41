// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_STATUS_H_
#define SHUNT_BASE_STATUS_H_

#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Errors are values here. A function that can fail returns absl::Status, or
// absl::StatusOr<T> where it has something to return:
//
//   absl::StatusOr<Config> Load(const std::string& path) {
//     SHUNT_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
//     SHUNT_RETURN_IF_ERROR(Check(text));
//     return Parse(text);
//   }
//
// They are logged once, at the boundary that handles them.

#define SHUNT_RETURN_IF_ERROR(expression)                     \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

#define SHUNT_CONCAT_INNER_(a, b) a##b
#define SHUNT_CONCAT_(a, b) SHUNT_CONCAT_INNER_(a, b)
#define SHUNT_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                    \
  if (!result.ok()) {                                            \
    return std::move(result).status();                           \
  }                                                              \
  declaration = *std::move(result)
#define SHUNT_ASSIGN_OR_RETURN(declaration, expression) \
  SHUNT_ASSIGN_OR_RETURN_(SHUNT_CONCAT_(result_, __LINE__), declaration, expression)

namespace shunt {

// "WHAT: No such file or directory", with the status code that fits errno.
inline absl::Status ErrnoStatus(std::string_view what, int error = errno) {
  return absl::ErrnoToStatus(error, absl::string_view(what.data(), what.size()));
}

}  // namespace shunt

#endif  // SHUNT_BASE_STATUS_H_
