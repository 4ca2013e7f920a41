// SPDX-License-Identifier: Apache-2.0
#include "userspace/reaper/reaper.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <vector>

namespace shunt {
namespace {

// What the kernel would say, one look after the other; then nothing any more.
struct Kernel {
  std::deque<absl::StatusOr<StaleSockets::Result>> answers;
  absl::Status load = absl::OkStatus();
  bool same_maps = true;
  int loads = 0, looks = 0;
};

class FakeStaleSockets : public StaleSockets {
 public:
  explicit FakeStaleSockets(Kernel& kernel) : kernel_(kernel) {}
  absl::StatusOr<Result> End() override {
    ++kernel_.looks;
    if (kernel_.answers.empty()) return Result();
    const auto answer = kernel_.answers.front();
    kernel_.answers.pop_front();
    return answer;
  }
  bool IsCurrent() const override { return kernel_.same_maps; }

 private:
  Kernel& kernel_;
};

class ReaperTest : public ::testing::Test {
 protected:
  Kernel kernel_;
  Reaper reaper_{[this]() -> absl::StatusOr<std::unique_ptr<StaleSockets>> {
    ++kernel_.loads;
    if (!kernel_.load.ok()) return kernel_.load;
    return std::make_unique<FakeStaleSockets>(kernel_);
  }};
};

TEST_F(ReaperTest, CountsWhatItEndedSinceItStarted) {
  kernel_.answers = {StaleSockets::Result{.ended = 3}, StaleSockets::Result{.ended = 4}};
  reaper_.Look();
  EXPECT_EQ(reaper_.report().ended, 3u);
  reaper_.Look();
  EXPECT_EQ(reaper_.report().ended, 7u);
  EXPECT_EQ(reaper_.again_in(), absl::InfiniteDuration());
  EXPECT_EQ(kernel_.loads, 1);
}

TEST_F(ReaperTest, LooksAgainWhereAConnectMayBeOnItsWayButNotForEver) {
  for (int i = 0; i < 100; ++i) kernel_.answers.push_back(StaleSockets::Result{.undecided = 1});
  reaper_.Look();
  absl::Duration before = absl::ZeroDuration();
  int repeats = 0;
  for (; reaper_.again_in() != absl::InfiniteDuration(); ++repeats) {
    EXPECT_GT(reaper_.again_in(), before);
    before = reaper_.again_in();
    reaper_.LookAgain();
    ASSERT_LT(repeats, 10);
  }
  EXPECT_GE(before, absl::Seconds(10)) << "a CPU that is busy for long";
  reaper_.Look();
  EXPECT_LT(reaper_.again_in(), absl::Seconds(1)) << "who asks is served anew";
}

TEST_F(ReaperTest, StopsLookingOnceAllIsDecided) {
  kernel_.answers = {StaleSockets::Result{.undecided = 1}, StaleSockets::Result{.ended = 1}};
  reaper_.Look();
  ASSERT_NE(reaper_.again_in(), absl::InfiniteDuration());
  reaper_.LookAgain();
  EXPECT_EQ(reaper_.again_in(), absl::InfiniteDuration());
  EXPECT_EQ(reaper_.report().ended, 1u);
}

TEST_F(ReaperTest, SaysWhyItEndsNothingAndTriesAgainWhenAsked) {
  kernel_.load = absl::NotFoundError("nothing is pinned");
  reaper_.Look();
  EXPECT_EQ(reaper_.report().off, "nothing is pinned");
  kernel_.load = absl::OkStatus();
  kernel_.answers = {StaleSockets::Result{.ended = 2}};
  reaper_.Look();
  EXPECT_EQ(reaper_.report(), (ReaperReport{.ended = 2}));
}

TEST_F(ReaperTest, TakesTheMapsThatArePinnedNow) {
  reaper_.Look();
  kernel_.same_maps = false;
  reaper_.Look();
  EXPECT_EQ(kernel_.loads, 2);
  EXPECT_EQ(kernel_.looks, 2);
}

TEST_F(ReaperTest, KeepsItsCountThroughAFailure) {
  kernel_.answers = {StaleSockets::Result{.ended = 2}, absl::InternalError("no memory"),
                     StaleSockets::Result{.ended = 1}};
  reaper_.Look();
  reaper_.Look();
  EXPECT_EQ(reaper_.report(), (ReaperReport{.off = "no memory", .ended = 2}));
  reaper_.Look();
  EXPECT_EQ(reaper_.report(), (ReaperReport{.ended = 3}));
}

TEST(ReaperReportTest, ArrivesAsItWasSent) {
  const ReaperReport report = {
      .off = "", .ended = 12, .unreachable = 3, .problem = "a namespace\nof nobody"};
  ReaperReport expected = report;
  expected.problem = "a namespace of nobody";
  EXPECT_EQ(*ReaperReport::FromPacket(report.ToPacket()), expected);
  EXPECT_EQ(*ReaperReport::FromPacket(ReaperReport().ToPacket()), ReaperReport());
}

TEST(ReaperReportTest, LinesOfALaterVersionAreForOthers) {
  EXPECT_EQ(ReaperReport::FromPacket("shunt-reaper 1\nmoon full\nended 2\n")->ended, 2u);
}

TEST(ReaperReportTest, AnythingElseIsRefused) {
  for (const char* packet : {"", "\n", "shunt-reaper 2\nended 1\n", "HTTP/1.1 400\r\n"}) {
    EXPECT_FALSE(ReaperReport::FromPacket(packet).ok()) << packet;
  }
  EXPECT_EQ(ReaperReport::FromPacket("shunt-reaper 1\nended many\n")->ended, 0u);
}

TEST(ReaperReportTest, AReasonWithoutEndFitsIntoOnePacket) {
  const ReaperReport report = {.off = std::string(100'000, 'x')};
  EXPECT_LT(report.ToPacket().size(), kLongestPacket);
}

}  // namespace
}  // namespace shunt
