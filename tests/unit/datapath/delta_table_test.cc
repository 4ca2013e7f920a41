// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/delta_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// A map that can be told to refuse.
struct FakeMap {
  std::map<int, uint32_t> entries;
  bool refuses = false;
  int writes = 0;

  void Flush(DeltaTable<int, uint32_t>& table) {
    table.FlushDeletes([&](int key, uint32_t) {
      if (refuses) return false;
      ++writes;
      return entries.erase(key) == 1;
    });
    table.FlushPuts([&](int key, const uint32_t* actual, uint32_t desired) {
      if (refuses) return false;
      ++writes;
      EXPECT_EQ(actual != nullptr, entries.contains(key));
      entries[key] = desired;
      return true;
    });
  }
};

TEST(DeltaTableTest, OnlyWhatDiffersIsWritten) {
  DeltaTable<int, uint32_t> table;
  FakeMap map{.entries = {{1, 10}, {2, 20}, {3, 30}}};
  for (const auto& [key, value] : map.entries) table.Adopt(key, value);
  table.Want(1, 10);
  table.Want(2, 21);
  table.Unwant(3);
  table.Want(4, 40);
  map.Flush(table);
  EXPECT_THAT(map.entries, ElementsAre(Pair(1, 10), Pair(2, 21), Pair(4, 40)));
  EXPECT_EQ(map.writes, 3);
}

TEST(DeltaTableTest, WhatWasRefusedIsStillPendingAndTheTableDoesNotClaimOtherwise) {
  DeltaTable<int, uint32_t> table;
  FakeMap map{.entries = {{1, 10}}, .refuses = true};
  table.Adopt(1, 10);
  table.Unwant(1);
  table.Want(2, 20);
  map.Flush(table);
  EXPECT_EQ(*table.Actual(1), 10u);
  EXPECT_EQ(table.Actual(2), nullptr);
  EXPECT_EQ(table.pending(), 2u);
  map.refuses = false;
  map.Flush(table);
  EXPECT_THAT(map.entries, ElementsAre(Pair(2, 20)));
  EXPECT_EQ(table.pending(), 0u);
}

TEST(DeltaTableTest, AChangeThatIsTakenBackIsNeverWritten) {
  DeltaTable<int, uint32_t> table;
  FakeMap map{.entries = {{1, 10}, {2, 20}}};
  for (const auto& [key, value] : map.entries) table.Adopt(key, value);
  table.Want(1, 11);
  table.Want(1, 10);
  table.Unwant(2);
  table.Keep(2);
  table.Want(3, 30);
  table.Unwant(3);
  map.Flush(table);
  EXPECT_EQ(map.writes, 0);
}

TEST(DeltaTableTest, WhateverIsWantedAndRefusedTheMapFollows) {
  std::mt19937 random(1);
  DeltaTable<int, uint32_t> table;
  FakeMap map;
  std::map<int, uint32_t> desired;
  for (int step = 0; step < 20000; ++step) {
    const int key = static_cast<int>(random() % 10);
    if (random() % 3 == 0) {
      table.Unwant(key);
      desired.erase(key);
    } else {
      table.Want(key, desired[key] = random() % 3);
    }
    map.refuses = random() % 2 == 0;
    map.Flush(table);
    for (const auto& [there, value] : map.entries) ASSERT_EQ(*table.Actual(there), value);
    ASSERT_EQ(table.size(), map.entries.size());
    if (!map.refuses) {
      ASSERT_EQ(map.entries, desired);
    }
  }
}

}  // namespace
}  // namespace shunt
