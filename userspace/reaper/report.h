// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_REAPER_REPORT_H_
#define SHUNT_REAPER_REPORT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace shunt {

// The protocol of the reaper's socket: packets of text. Whoever may open it may
// say kLookNow, and is sent a report when he comes and after each look.
inline constexpr std::string_view kLookNow = "look";
inline constexpr size_t kLongestPacket = 4096;

// What the reaper does, as one packet says it: a line for each field that is not
// empty or 0, "ended 12". Lines that a reader does not know are for others.
struct ReaperReport {
  std::string off;           // why it ends nothing; empty: it works
  uint64_t ended = 0;        // sockets, since it started
  uint64_t unreachable = 0;  // sockets that the last look could not end
  std::string problem;       // why

  std::string ToPacket() const;
  static absl::StatusOr<ReaperReport> FromPacket(std::string_view packet);
  friend bool operator==(const ReaperReport&, const ReaperReport&) = default;
};

}  // namespace shunt

#endif  // SHUNT_REAPER_REPORT_H_
