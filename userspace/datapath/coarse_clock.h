// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_COARSE_CLOCK_H_
#define SHUNT_DATAPATH_COARSE_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace shunt {

// The programs' clock (bpf_ktime_get_coarse_ns()), in nanoseconds.
inline uint64_t CoarseNowNs() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * uint64_t{1'000'000'000} + now.tv_nsec;
}

// How long ago that was; 0 where it is a moment ahead, on another CPU.
inline uint64_t IdleNs(uint64_t now_ns, uint64_t last_used_ns) {
  const auto idle = static_cast<int64_t>(now_ns - last_used_ns);
  return idle > 0 ? idle : 0;
}

}  // namespace shunt

#endif  // SHUNT_DATAPATH_COARSE_CLOCK_H_
