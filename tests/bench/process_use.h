// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_PROCESS_USE_H_
#define SHUNT_TESTS_BENCH_PROCESS_USE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace shunt::bench {

// What all threads of a process have taken since they started.
struct ProcessUse {
  double cpu_ns = 0;
  // Times that one waited for something, and so was woken later.
  uint64_t waits = 0;
};

ProcessUse UseOf(pid_t process);

// A field of /proc/PID/status that is in kB, such as "VmRSS".
double MemoryMiBOf(pid_t process, const std::string& field);

// All its threads, and those that they start later, run on this CPU only.
absl::Status PinProcess(pid_t process, int cpu);

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_PROCESS_USE_H_
