// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/grace_period.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace shunt {
namespace {

// A wait that lasts as long as the test wants.
class Gate {
 public:
  RcuWait AsWait() {
    return [this] {
      absl::MutexLock lock(&mutex_);
      const int run = ++begun_;
      const auto open = [&] { return opened_ >= run; };
      mutex_.Await(absl::Condition(&open));
      return absl::OkStatus();
    };
  }
  void AwaitRun(int run) {
    absl::MutexLock lock(&mutex_);
    const auto begun = [&] { return begun_ >= run; };
    mutex_.Await(absl::Condition(&begun));
  }
  void OpenUntil(int run) {
    absl::MutexLock lock(&mutex_);
    opened_ = run;
  }
  int begun() {
    absl::MutexLock lock(&mutex_);
    return begun_;
  }

 private:
  absl::Mutex mutex_;
  int begun_ = 0, opened_ = 0;
};

TEST(RcuGracePeriodTest, NothingHasEndedBeforeTheWaitHas) {
  Gate gate;
  RcuGracePeriod grace_period(gate.AsWait());
  const uint64_t ticket = grace_period.Begin();
  gate.AwaitRun(1);
  EXPECT_FALSE(grace_period.HasEnded(ticket));
  gate.OpenUntil(1);
  grace_period.WaitFor(ticket);
  EXPECT_TRUE(grace_period.HasEnded(ticket));
}

TEST(RcuGracePeriodTest, ARunThatIsUnderWayServesNobodyWhoAsksNow) {
  Gate gate;
  RcuGracePeriod grace_period(gate.AsWait());
  const uint64_t first = grace_period.Begin();
  gate.AwaitRun(1);
  const uint64_t late = grace_period.Begin();
  gate.OpenUntil(1);
  grace_period.WaitFor(first);
  EXPECT_FALSE(grace_period.HasEnded(late));
  gate.OpenUntil(2);
  grace_period.WaitFor(late);
}

TEST(RcuGracePeriodTest, AllWhoAskDuringARunShareTheNext) {
  Gate gate;
  RcuGracePeriod grace_period(gate.AsWait());
  grace_period.Begin();
  gate.AwaitRun(1);
  uint64_t last = 0;
  for (int i = 0; i < 100; ++i) last = grace_period.Begin();
  gate.OpenUntil(2);
  grace_period.WaitFor(last);
  EXPECT_EQ(gate.begun(), 2);
}

TEST(RcuGracePeriodTest, ItWaitsOnlyWhenAskedTo) {
  Gate gate;
  {
    RcuGracePeriod grace_period(gate.AsWait());
  }
  EXPECT_EQ(gate.begun(), 0);
}

TEST(RcuGracePeriodTest, ManyThreadsMayAsk) {
  RcuGracePeriod grace_period([] { return absl::OkStatus(); });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) grace_period.WaitFor(grace_period.Begin());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(RcuGracePeriodTest, AKernelThatRefusesToWaitDoesNotStopTheAgentForEver) {
  RcuGracePeriod grace_period([] { return absl::UnavailableError("no"); }, absl::Milliseconds(1));
  grace_period.WaitFor(grace_period.Begin());
}

TEST(MembarrierTest, ThisKernelOrTheFallbackWaits) {
  const RcuWait wait = MembarrierOr([] { return absl::OkStatus(); });
  EXPECT_TRUE(wait().ok());
}

}  // namespace
}  // namespace shunt
