// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/mapped_array.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

constexpr size_t kSize = 8 << 20;

// A file in memory stands for the BPF array: it is mapped by the same calls.
class MappedArrayTest : public testing::Test {
 protected:
  MappedArrayTest() : fd_(memfd_create("array", MFD_CLOEXEC)) {
    EXPECT_EQ(ftruncate(fd_.get(), kSize), 0);
  }

  MappedArray Open() { return MappedArray::OpenInUse(fd_.get(), kSize).value(); }
  void Leave(size_t index, uint64_t value) {
    EXPECT_EQ(pwrite(fd_.get(), &value, sizeof(value), index * sizeof(value)), 8);
  }
  uint64_t Left(size_t index) {
    uint64_t value = 0;
    EXPECT_EQ(pread(fd_.get(), &value, sizeof(value), index * sizeof(value)), 8);
    return value;
  }

  UniqueFd fd_;
};

TEST_F(MappedArrayTest, AnArrayThatNobodyUsedTakesNoMemory) {
  EXPECT_TRUE(Open().Elements<uint64_t>().empty());
}

TEST_F(MappedArrayTest, AfterARestartAllThatWasLeftIsSeenAndLittleMore) {
  Leave(300'000, 7);
  const MappedArray array = Open();
  ASSERT_GT(array.Elements<uint64_t>().size(), 300'000u);
  EXPECT_EQ(array.Elements<uint64_t>()[300'000], 7u);
  EXPECT_LT(array.Elements<uint64_t>().size(), 350'000u);
}

TEST_F(MappedArrayTest, GrowingReachesTheArrayAndMovesNothing) {
  Leave(0, 7);
  MappedArray array = Open();
  const uint64_t* first = &array.Elements<uint64_t>()[0];
  ASSERT_TRUE(array.Reach(500'001 * sizeof(uint64_t)).ok());
  array.Elements<uint64_t>()[500'000] = 9;
  EXPECT_EQ(&array.Elements<uint64_t>()[0], first);
  EXPECT_EQ(*first, 7u);
  EXPECT_EQ(Left(500'000), 9u);
  EXPECT_EQ(Open().Elements<uint64_t>()[500'000], 9u);
}

TEST_F(MappedArrayTest, TheLastElementCanBeUsed) {
  constexpr size_t kLast = kSize / sizeof(uint64_t) - 1;
  MappedArray array = Open();
  ASSERT_TRUE(array.Reach(kSize).ok());
  ASSERT_EQ(array.Elements<uint64_t>().size(), kLast + 1);
  array.Elements<uint64_t>()[kLast] = 9;
  EXPECT_EQ(Left(kLast), 9u);
  EXPECT_EQ(Open().Elements<uint64_t>()[kLast], 9u);
}

TEST_F(MappedArrayTest, WhereGrowingFailsWhatWasThereStaysUsable) {
  Leave(0, 7);
  MappedArray array = Open();
  const size_t before = array.Elements<uint64_t>().size();
  const std::string file = "/proc/self/fd/" + std::to_string(fd_.get());
  const UniqueFd read_only(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(dup2(read_only.get(), fd_.get()), fd_.get());  // may not be mapped to be written
  EXPECT_FALSE(array.Reach(kSize).ok());
  EXPECT_EQ(array.Elements<uint64_t>().size(), before);
  EXPECT_EQ(array.Elements<uint64_t>()[0], 7u);
}

TEST_F(MappedArrayTest, WhoOnlyReadsSeesWhatIsWrittenLater) {
  const MappedArray reader = MappedArray::OpenWhole(fd_.get(), kSize).value();
  MappedArray writer = Open();
  ASSERT_TRUE(writer.Reach(500'001 * sizeof(uint64_t)).ok());
  writer.Elements<uint64_t>()[500'000] = 9;
  EXPECT_EQ(reader.Elements<const uint64_t>()[500'000], 9u);
}

}  // namespace
}  // namespace shunt
