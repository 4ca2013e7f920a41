// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_WAIT_FOR_H_
#define SHUNT_TESTS_SUPPORT_WAIT_FOR_H_

#include "absl/functional/function_ref.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace shunt::testing {

// Polls until `condition` holds; false when the limit has passed without. The
// limit only ends a test that fails, so it is generous. Thread-safe.
inline bool WaitFor(absl::FunctionRef<bool()> condition, absl::Duration limit = absl::Seconds(20)) {
  const absl::Time deadline = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Microseconds(200));
  }
  return true;
}

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_WAIT_FOR_H_
