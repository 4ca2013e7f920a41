// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/framer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/kubernetes/wire.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Cut {
  std::vector<std::string> frames;
  absl::Status status;
  bool at_boundary = false;
};

Cut Feed(Framer& framer, const std::vector<std::string_view>& pieces) {
  Cut cut;
  for (const std::string_view piece : pieces) {
    cut.status = framer.Feed(piece, [&](std::string_view frame) {
      cut.frames.emplace_back(frame);
      return absl::OkStatus();
    });
    if (!cut.status.ok()) break;
  }
  cut.at_boundary = framer.AtBoundary();
  return cut;
}

TEST(LengthFramer, FindsTheSameFramesWhereverTheStreamIsCut) {
  const std::string stream = Framed("one") + Framed("") + Framed(std::string(300, 'x'));
  for (size_t first = 0; first <= stream.size(); ++first) {
    LengthFramer framer;
    const std::string_view text = stream;
    const Cut cut = Feed(framer, {text.substr(0, first), text.substr(first)});
    EXPECT_TRUE(cut.status.ok());
    EXPECT_TRUE(cut.at_boundary);
    ASSERT_THAT(cut.frames, ElementsAre("one", "", std::string(300, 'x'))) << first;
  }
}

TEST(LengthFramer, FindsFramesThatComeByteByByte) {
  const std::string stream = Framed("one") + Framed("two");
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < stream.size(); ++i) bytes.push_back(std::string_view(stream).substr(i, 1));
  LengthFramer framer;
  EXPECT_THAT(Feed(framer, bytes).frames, ElementsAre("one", "two"));
}

TEST(LengthFramer, KnowsThatAnEndWithinAFrameIsNone) {
  for (const size_t size : {1, 3, 4, 6}) {
    LengthFramer framer;
    EXPECT_FALSE(Feed(framer, {Framed("one").substr(0, size)}).at_boundary) << size;
  }
}

TEST(LengthFramer, RefusesALengthThatNoEventHasBeforeItReadsOn) {
  for (const std::string& length :
       {std::string("\xff\xff\xff\xff"), std::string("\x01\x00\x00\x01", 4)}) {
    LengthFramer framer;
    const Cut cut = Feed(framer, {length});
    EXPECT_EQ(cut.status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(cut.frames, IsEmpty());
  }
}

TEST(LengthFramer, TakesTheLargestEventThatThereMayBe) {
  LengthFramer framer;
  const std::string largest(kMostFrameBytes, 'x');
  EXPECT_THAT(Feed(framer, {Framed(largest)}).frames, ElementsAre(largest));
}

TEST(LengthFramer, EndsWithTheFrameThatNobodyCouldRead) {
  LengthFramer framer;
  int calls = 0;
  const absl::Status status = framer.Feed(Framed("one") + Framed("two"), [&](std::string_view) {
    ++calls;
    return absl::DataLossError("no");
  });
  EXPECT_EQ(status.message(), "no");
  EXPECT_EQ(calls, 1);
}

TEST(JsonFramer, FindsTheSameObjectsWhereverTheStreamIsCut) {
  const std::string first = R"({"a":[{"b":"}{\"\\"}]})", second = R"({"c":{}})";
  const std::string stream = first + "\n" + second + " \r\n";
  for (size_t at = 0; at <= stream.size(); ++at) {
    JsonFramer framer;
    const std::string_view text = stream;
    const Cut cut = Feed(framer, {text.substr(0, at), text.substr(at)});
    EXPECT_TRUE(cut.at_boundary);
    ASSERT_THAT(cut.frames, ElementsAre(first, second)) << at;
  }
}

TEST(JsonFramer, RefusesWhatIsNoObject) {
  JsonFramer framer;
  EXPECT_THAT(Feed(framer, {"<html>"}).status.message(), HasSubstr("expected a JSON object"));
}

TEST(JsonFramer, KnowsThatAnEndWithinAnObjectIsNone) {
  JsonFramer framer;
  EXPECT_FALSE(Feed(framer, {R"({"a":)"}).at_boundary);
}

}  // namespace
}  // namespace shunt
