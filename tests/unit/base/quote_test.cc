// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/quote.h"

#include <gtest/gtest.h>

namespace shunt {
namespace {

TEST(Quoted, ShowsWhatWasWrittenOnOneLine) {
  EXPECT_EQ(Quoted("web"), "\"web\"");
  EXPECT_EQ(Quoted(""), "\"\"");
  EXPECT_EQ(Quoted("a\nb"), "\"a\\nb\"");
}

TEST(Quoted, CutsALongTextBetweenCharacters) {
  EXPECT_EQ(Quoted(std::string(1 << 20, 'x')), "\"" + std::string(64, 'x') + "...\"");
  std::string text(63, 'x');
  text += "\xc3\xa4\xc3\xa4";  // the first of these two spans the limit
  EXPECT_EQ(Quoted(text), "\"" + std::string(63, 'x') + "...\"");
}

TEST(Quoted, SurvivesBytesThatAreNoText) {
  EXPECT_EQ(Quoted("\xff\x1b[2J"), "\"\\xff\\x1b[2J\"");
  EXPECT_FALSE(Quoted(std::string(1000, '\x80')).empty());
}

}  // namespace
}  // namespace shunt
