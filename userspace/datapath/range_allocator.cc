// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/range_allocator.h"

#include <iterator>

namespace shunt {

RangeAllocator::RangeAllocator(uint32_t size) : size_(size) {
  if (size > 0) AddHole(0, size);
}

std::optional<shunt_range> RangeAllocator::Allocate(uint32_t count) {
  auto fit = holes_by_size_.lower_bound({count, 0});
  if (fit == holes_by_size_.end()) return std::nullopt;
  const auto [hole_count, base] = *fit;
  const shunt_range range = {.base = base, .count = count};
  Carve(base, hole_count, range);
  return range;
}

bool RangeAllocator::Reserve(const shunt_range& range) {
  const uint64_t end = uint64_t{range.base} + range.count;
  if (range.count == 0 || end > size_) return false;
  auto after = holes_.upper_bound(range.base);
  if (after == holes_.begin()) return false;
  const auto [hole_base, hole_count] = *std::prev(after);
  if (end > uint64_t{hole_base} + hole_count) return false;
  Carve(hole_base, hole_count, range);
  return true;
}

void RangeAllocator::Release(const shunt_range& range) {
  uint32_t base = range.base, count = range.count;
  auto after = holes_.lower_bound(base);
  if (after != holes_.end() && after->first == base + count) {
    const auto [next_base, next_count] = *after;
    RemoveHole(next_base, next_count);
    count += next_count;
  }
  auto before = holes_.lower_bound(base);
  if (before != holes_.begin()) {
    const auto [previous_base, previous_count] = *std::prev(before);
    if (previous_base + previous_count == base) {
      RemoveHole(previous_base, previous_count);
      base = previous_base;
      count += previous_count;
    }
  }
  AddHole(base, count);
}

void RangeAllocator::AddHole(uint32_t base, uint32_t count) {
  holes_.emplace(base, count);
  holes_by_size_.emplace(count, base);
  free_ += count;
}

void RangeAllocator::RemoveHole(uint32_t base, uint32_t count) {
  holes_.erase(base);
  holes_by_size_.erase({count, base});
  free_ -= count;
}

void RangeAllocator::Carve(uint32_t hole_base, uint32_t hole_count, const shunt_range& range) {
  RemoveHole(hole_base, hole_count);
  const uint32_t before = range.base - hole_base;
  const uint32_t after = hole_count - before - range.count;
  if (before > 0) AddHole(hole_base, before);
  if (after > 0) AddHole(range.base + range.count, after);
}

}  // namespace shunt
