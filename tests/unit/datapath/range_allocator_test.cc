// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/range_allocator.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace shunt {
namespace {

TEST(RangeAllocatorTest, ABigListFitsAgainOnceTheSmallOnesAreGone) {
  RangeAllocator ranges(6);
  std::vector<shunt_range> taken;
  for (int i = 0; i < 3; ++i) taken.push_back(*ranges.Allocate(2));
  EXPECT_FALSE(ranges.Allocate(1).has_value());
  for (int i : {0, 2, 1}) ranges.Release(taken[i]);
  EXPECT_TRUE(ranges.Allocate(6).has_value());
}

TEST(RangeAllocatorTest, ASmallListDoesNotBreakABigHole) {
  RangeAllocator ranges(10);
  const shunt_range small = *ranges.Allocate(2);
  ASSERT_TRUE(ranges.Allocate(1).has_value());  // keeps the holes apart
  ranges.Release(small);
  EXPECT_EQ(ranges.Allocate(2)->base, small.base);
  EXPECT_TRUE(ranges.Allocate(7).has_value());
}

TEST(RangeAllocatorTest, WhatAnEarlierAgentUsedIsTakenExactlyOnce) {
  RangeAllocator ranges(10);
  EXPECT_TRUE(ranges.Reserve({.base = 4, .count = 3}));
  EXPECT_FALSE(ranges.Reserve({.base = 4, .count = 3}));
  EXPECT_FALSE(ranges.Reserve({.base = 6, .count = 2}));
  EXPECT_FALSE(ranges.Reserve({.base = 0, .count = 0}));
  EXPECT_FALSE(ranges.Reserve({.base = 8, .count = 3}));
  EXPECT_FALSE(ranges.Reserve({.base = ~0u, .count = 2}));
  EXPECT_EQ(ranges.free(), 7u);
  EXPECT_FALSE(ranges.Allocate(5).has_value());
}

TEST(RangeAllocatorTest, AnEmptyArenaHasNoRoom) {
  RangeAllocator ranges(0);
  EXPECT_FALSE(ranges.Allocate(1).has_value());
}

// Held against an array with one owner a slot.
TEST(RangeAllocatorTest, NoSlotEverBelongsToTwoLists) {
  std::mt19937 random(1);
  RangeAllocator ranges(200);
  std::vector<bool> used(200);
  std::vector<shunt_range> taken;
  const auto mark = [&](const shunt_range& range, bool value) {
    for (uint32_t i = range.base; i < range.base + range.count; ++i) {
      ASSERT_NE(used.at(i), value);
      used[i] = value;
    }
  };
  const auto longest_hole = [&] {
    uint32_t longest = 0, length = 0;
    for (bool slot : used) longest = std::max(longest, length = slot ? 0 : length + 1);
    return longest;
  };
  for (int step = 0; step < 20000; ++step) {
    if (random() % 2 == 0 && !taken.empty()) {
      std::swap(taken[random() % taken.size()], taken.back());
      mark(taken.back(), false);
      ranges.Release(taken.back());
      taken.pop_back();
      continue;
    }
    const uint32_t count = 1 + random() % 30;
    const std::optional<shunt_range> range = ranges.Allocate(count);
    ASSERT_EQ(range.has_value(), longest_hole() >= count);
    if (!range.has_value()) continue;
    ASSERT_EQ(range->count, count);
    mark(*range, true);
    taken.push_back(*range);
  }
}

}  // namespace
}  // namespace shunt
