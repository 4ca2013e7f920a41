// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_GATE_COUNTING_H_
#define SHUNT_TESTS_GATE_COUNTING_H_

#include <cstdint>

namespace shunt::testing {

// What this process has done so far. Linking this replaces `operator new`, and
// libc's syscall(), by which libbpf calls the kernel, with ones that count.
// Thread-safe.
struct Work {
  uint64_t allocations = 0;
  uint64_t system_calls = 0;  // of those that libc has no function for, as bpf(2)
};

Work WorkSoFar();

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_GATE_COUNTING_H_
