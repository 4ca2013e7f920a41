// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_RESIDENT_H_
#define SHUNT_TESTS_SUPPORT_RESIDENT_H_

#include <sys/types.h>

#include <utility>

#include "absl/status/statusor.h"
#include "tests/support/net_namespace.h"

namespace shunt::testing {

// A process that does nothing but live in a network namespace, as a pod's pause
// container does: others find the namespace through it. It ends with the object.
class Resident {
 public:
  static absl::StatusOr<Resident> MoveInto(const NetNamespace& home);
  Resident(Resident&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Resident& operator=(Resident&&) = delete;
  ~Resident();

  pid_t pid() const { return pid_; }

 private:
  explicit Resident(pid_t pid) : pid_(pid) {}

  pid_t pid_;
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_RESIDENT_H_
