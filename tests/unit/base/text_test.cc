// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/text.h"

#include <gtest/gtest.h>

namespace shunt {
namespace {

TEST(ForTerminal, KeepsWhatPeopleWrite) {
  EXPECT_EQ(ForTerminal("web.yaml:12"), "web.yaml:12");
  EXPECT_EQ(ForTerminal("müller/漢字"), "müller/漢字");
}

TEST(ForTerminal, SpellsOutWhatWouldDriveATerminal) {
  EXPECT_EQ(ForTerminal("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(ForTerminal("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(ForTerminal(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(ForTerminal("\x7f"), "\\x7f");
  EXPECT_EQ(ForTerminal("\xc2\x9b"), "\\u009b");              // CSI in one character
  EXPECT_EQ(ForTerminal("\xe2\x80\xae"), "\\u202e");          // right-to-left override
  EXPECT_EQ(ForTerminal("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");  // no UTF-8, and overlong
}

TEST(DisplayWidth, IsWhatATerminalShows) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("müller"), 6u);
  EXPECT_EQ(DisplayWidth("漢字"), 4u);
}

TEST(ToUtf8, ReplacesOnlyWhatIsNotUtf8) {
  EXPECT_EQ(ToUtf8("m\xc3\xbc\xff"), "m\xc3\xbc\xef\xbf\xbd");
  EXPECT_EQ(ToUtf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
  EXPECT_EQ(ToUtf8("cut \xe6\xbc"), "cut \xef\xbf\xbd\xef\xbf\xbd");
}

}  // namespace
}  // namespace shunt
