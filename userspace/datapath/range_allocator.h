// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_RANGE_ALLOCATOR_H_
#define SHUNT_DATAPATH_RANGE_ALLOCATOR_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "shunt/abi.h"

namespace shunt {

// Hands out ranges of the numbers [0, size). The smallest hole that fits, then
// the lowest, so that big holes stay for big lists. Takes O(log of the holes).
// A value of one thread; knows nothing of maps.
class RangeAllocator {
 public:
  explicit RangeAllocator(uint32_t size);

  // `count` is not 0. Nothing: no hole is long enough.
  std::optional<shunt_range> Allocate(uint32_t count);
  // Takes just this range. False: it is empty, out of bounds or partly taken.
  bool Reserve(const shunt_range& range);
  // Gives back a range that was handed out.
  void Release(const shunt_range& range);

  uint32_t size() const { return size_; }
  uint32_t free() const { return free_; }

 private:
  void AddHole(uint32_t base, uint32_t count);
  void RemoveHole(uint32_t base, uint32_t count);
  // Cuts `range` out of the hole that holds it.
  void Carve(uint32_t hole_base, uint32_t hole_count, const shunt_range& range);

  const uint32_t size_;
  uint32_t free_ = 0;
  absl::btree_map<uint32_t, uint32_t> holes_;                     // base -> count
  absl::btree_set<std::pair<uint32_t, uint32_t>> holes_by_size_;  // count, base
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_RANGE_ALLOCATOR_H_
