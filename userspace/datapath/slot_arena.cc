// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/slot_arena.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"

namespace shunt {

SlotArena::SlotArena(uint32_t size, GracePeriod& grace_period)
    : ranges_(size), quarantine_(grace_period) {}

absl::StatusOr<shunt_range> SlotArena::Allocate(uint32_t count) {
  for (const shunt_range& ended : quarantine_.TakeEnded()) ranges_.Release(ended);
  while (true) {
    if (std::optional<shunt_range> range = ranges_.Allocate(count)) return *range;
    const std::vector<shunt_range> waited_for = quarantine_.WaitForOldest();
    if (waited_for.empty()) break;
    for (const shunt_range& ended : waited_for) ranges_.Release(ended);
  }
  if (ranges_.free() < count) {
    return absl::ResourceExhaustedError(
        absl::StrCat("map shunt_slots is full (", ranges_.size(), ")"));
  }
  return absl::ResourceExhaustedError(absl::StrCat("map shunt_slots (", ranges_.size(), ") has ",
                                                   ranges_.free(), " free slots, but not ", count,
                                                   " in a row"));
}

}  // namespace shunt
