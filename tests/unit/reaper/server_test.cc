// SPDX-License-Identifier: Apache-2.0
#include "userspace/reaper/server.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/support/wait_for.h"
#include "userspace/reaper/packet_socket.h"
#include "userspace/reaper/reaper_client.h"

namespace shunt {
namespace {

using testing::WaitFor;

// Ends one socket with each look.
class OneEachTime : public StaleSockets {
 public:
  absl::StatusOr<Result> End() override { return Result{.ended = 1}; }
  bool IsCurrent() const override { return true; }
};

class ReaperServerTest : public ::testing::Test {
 protected:
  ReaperServerTest() {
    char name[] = "/tmp/shunt-reaper-XXXXXX";
    directory_ = mkdtemp(name);
    socket_ = directory_ + "/run/reaper.sock";
  }
  ~ReaperServerTest() override {
    Stop();
    std::filesystem::remove_all(directory_);
  }

  void Start() {
    absl::StatusOr<UniqueFd> listener = ListenPacketSocket(socket_);
    ASSERT_TRUE(listener.ok()) << listener.status();
    UniqueFd stop(eventfd(0, EFD_CLOEXEC));
    stop_ = UniqueFd(dup(stop.get()));
    thread_ = std::thread([listener = *std::move(listener), stop = std::move(stop)]() mutable {
      Reaper reaper([] { return std::make_unique<OneEachTime>(); });
      EXPECT_TRUE(ReaperServer(std::move(listener), std::move(stop), reaper).Run().ok());
    });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    eventfd_write(stop_.get(), 1);
    thread_.join();
  }

  std::string directory_, socket_;
  UniqueFd stop_;
  std::thread thread_;
};

// The report that comes next.
ReaperReport NextReport(const UniqueFd& client) {
  std::optional<std::string> packet;
  EXPECT_TRUE(WaitFor([&] { return (packet = ReceivePacket(client.get())).has_value(); }));
  const absl::StatusOr<ReaperReport> report = ReaperReport::FromPacket(packet.value_or(""));
  EXPECT_TRUE(report.ok()) << report.status();
  return report.value_or(ReaperReport());
}

TEST_F(ReaperServerTest, LooksAtItsStartAndWheneverSomebodyAsks) {
  Start();
  const UniqueFd client = *ConnectPacketSocket(socket_);
  EXPECT_EQ(NextReport(client).ended, 1u) << "what it did before anybody came";
  ASSERT_TRUE(SendPacket(client.get(), kLookNow));
  EXPECT_EQ(NextReport(client).ended, 2u);
}

TEST_F(ReaperServerTest, OnlyItsOwnUserMayOpenIt) {
  Start();
  struct stat file = {}, directory = {};
  ASSERT_EQ(stat(socket_.c_str(), &file), 0);
  ASSERT_EQ(stat((directory_ + "/run").c_str(), &directory), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  EXPECT_EQ(directory.st_mode & 0777, 0750u);
}

TEST_F(ReaperServerTest, WhoSaysAnythingElseIsHungUpOnAndOthersAreServed) {
  Start();
  const UniqueFd good = *ConnectPacketSocket(socket_);
  NextReport(good);
  for (const std::string& word : {std::string("end pid 1"), std::string(3000, 'x')}) {
    const UniqueFd bad = *ConnectPacketSocket(socket_);
    NextReport(bad);
    ASSERT_TRUE(SendPacket(bad.get(), word));
    EXPECT_TRUE(WaitFor([&] { return ReceivePacket(bad.get()) == ""; }));
  }
  ASSERT_TRUE(SendPacket(good.get(), kLookNow));
  EXPECT_EQ(NextReport(good).ended, 2u);
}

TEST_F(ReaperServerTest, AClientThatReadsNothingHoldsNobodyUp) {
  Start();
  const UniqueFd deaf = *ConnectPacketSocket(socket_), good = *ConnectPacketSocket(socket_);
  NextReport(good);
  for (uint64_t i = 2; i < 2000; ++i) {
    ASSERT_TRUE(SendPacket(good.get(), kLookNow));
    ASSERT_EQ(NextReport(good).ended, i);
  }
}

TEST_F(ReaperServerTest, ACrowdIsTurnedAwayAndTheFirstAreServed) {
  Start();
  const UniqueFd good = *ConnectPacketSocket(socket_);
  NextReport(good);
  std::vector<UniqueFd> crowd;
  for (int i = 0; i < 40; ++i) {
    absl::StatusOr<UniqueFd> client = absl::UnavailableError("");
    EXPECT_TRUE(WaitFor([&] { return (client = ConnectPacketSocket(socket_)).ok(); }));
    crowd.push_back(*std::move(client));
  }
  EXPECT_TRUE(WaitFor([&] { return ReceivePacket(crowd.back().get()) == ""; }));
  ASSERT_TRUE(SendPacket(good.get(), kLookNow));
  EXPECT_EQ(NextReport(good).ended, 2u);
}

TEST_F(ReaperServerTest, TheSocketOfOneThatWasKilledIsTakenOverNotThatOfOneThatRuns) {
  {
    const UniqueFd gone = *ListenPacketSocket(socket_);
  }
  Start();
  EXPECT_EQ(ListenPacketSocket(socket_).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(ReaperServerTest, APathThatIsNoSocketIsLeftAlone) {
  const std::string path = directory_ + "/file";
  fclose(fopen(path.c_str(), "w"));
  EXPECT_EQ(ListenPacketSocket(path).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_FALSE(ListenPacketSocket("").ok());
  EXPECT_FALSE(ListenPacketSocket(directory_ + "/" + std::string(200, 'x')).ok());
}

// The agent's end.
class ReaperClientTest : public ReaperServerTest {
 protected:
  void ExpectBecomes(const ReaperClient& client, const std::string& ending) {
    EXPECT_TRUE(WaitFor([&] { return client.state().ending == ending; })) << client.state().ending;
  }
  std::string Nobody() const {
    return absl::StrCat("off: no reaper listens (", socket_, ": No such file or directory)");
  }
};

TEST_F(ReaperClientTest, KnowsWhetherThereIsAReaper) {
  std::atomic<int> changes = 0;
  ReaperClient client(socket_, [&](const ReaperClient::State&) { ++changes; });
  ExpectBecomes(client, Nobody());
  Start();
  ExpectBecomes(client, "on");
  Stop();
  std::filesystem::remove(socket_);
  ExpectBecomes(client, Nobody());
  Start();
  ExpectBecomes(client, "on");
  EXPECT_GE(changes, 4);
}

TEST_F(ReaperClientTest, EachRequestIsFollowedByALook) {
  Start();
  ReaperClient client(socket_, [](const ReaperClient::State&) {});
  ExpectBecomes(client, "on");
  for (int i = 0; i < 10; ++i) {
    const uint64_t before = client.state().ended;
    client.Look();
    EXPECT_TRUE(WaitFor([&] { return client.state().ended > before; }));
  }
}

TEST_F(ReaperClientTest, WhoListensAndIsNoReaperIsNoneForTheAgent) {
  const UniqueFd listener = *ListenPacketSocket(socket_);
  ReaperClient client(socket_, [](const ReaperClient::State&) {});
  UniqueFd impostor;
  EXPECT_TRUE(WaitFor([&] {
    impostor = UniqueFd(accept(listener.get(), nullptr, nullptr));
    return impostor.ok();
  }));
  ASSERT_TRUE(SendPacket(impostor.get(), "220 mail.example.org ESMTP\n"));
  ExpectBecomes(
      client, absl::StrCat("off: ", socket_, ": what listens there is no reaper of this version"));
}

}  // namespace
}  // namespace shunt
