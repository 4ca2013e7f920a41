// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_SLOT_ARENA_H_
#define SHUNT_DATAPATH_SLOT_ARENA_H_

#include "absl/status/statusor.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/quarantine.h"
#include "userspace/datapath/range_allocator.h"

namespace shunt {

// Who has which range of shunt_slots. A range that readers could reach is
// quarantined before it is handed out again. Writes nothing. Belongs to the
// control thread.
class SlotArena {
 public:
  SlotArena(uint32_t size, GracePeriod& grace_period);

  // Waits for a grace period only where nothing fits otherwise.
  // ResourceExhausted: the arena is full.
  absl::StatusOr<shunt_range> Allocate(uint32_t count);
  // Takes a range that an earlier agent used; false where that is not possible.
  bool Reserve(const shunt_range& range) { return ranges_.Reserve(range); }
  // No frontend leads there any more.
  void Release(const shunt_range& range) { quarantine_.Add(range); }
  // No frontend ever led there.
  void ReturnUnused(const shunt_range& range) { ranges_.Release(range); }

  bool HasUnsealed() const { return quarantine_.HasUnsealed(); }
  void Seal(uint64_t ticket) { quarantine_.Seal(ticket); }

 private:
  RangeAllocator ranges_;
  Quarantine<shunt_range> quarantine_;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_SLOT_ARENA_H_
