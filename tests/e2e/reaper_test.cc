// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/e2e/agent_test.h"
#include "tests/support/http_client.h"
#include "tests/support/resident.h"
#include "tests/support/wait_for.h"

namespace shunt::testing {
namespace {

using ::testing::HasSubstr;

int ReceiveError(const UniqueFd& fd) {
  char buffer[64];
  return recv(fd.get(), buffer, sizeof(buffer), MSG_DONTWAIT) < 0 ? errno : 0;
}

// shuntd and shunt-reaper together.
class ReaperE2e : public AgentTest {
 protected:
  void TearDown() override {
    if (HasFailure() && reaper_ != nullptr) printf("the reaper's log:\n%s\n", Log().c_str());
    reaper_.reset();
    AgentTest::TearDown();
  }

  void StartReaper() {
    reaper_ = nullptr;
    absl::StatusOr<std::unique_ptr<AgentProcess>> reaper = AgentProcess::StartProgram(
        SHUNT_REAPER, {"--bpffs", bpffs(), "--socket", reaper_socket(), "--v", "2"},
        directory() + "/reaper.log");
    ASSERT_TRUE(reaper.ok()) << reaper.status();
    reaper_ = *std::move(reaper);
    ExpectEventually("it listens", [&] { return absl::StrContains(Log(), "\"started\""); });
  }
  void EndReaper(int signal) {
    reaper_->Signal(signal);
    ASSERT_TRUE(reaper_->WaitForExit(absl::Seconds(20)).has_value());
  }
  std::string Log() { return reaper_->Log(); }
  CommandResult Reaper(const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {SHUNT_REAPER};
    all.insert(all.end(), arguments.begin(), arguments.end());
    absl::StatusOr<CommandResult> result = RunCommand(all, {.limit = absl::Seconds(20)});
    EXPECT_TRUE(result.ok()) << result.status();
    return result.value_or(CommandResult{.exit_code = -1});
  }

  void ExpectStatus(const std::string& text) {
    std::string status;
    ExpectEventually(text, [&] {
      status = Ctl({"status"}).out;
      return absl::StrContains(status, text);
    });
    if (HasFailure()) printf("%s\n", status.c_str());
  }

  void WriteDns(const std::vector<HostPort>& pods) {
    Write("dns.yaml", {"dns", vip_, pods, "UDP"});
  }
  UniqueFd DialledUdp() {
    UniqueFd fd = OpenSocket(vip_, {.transport = Transport::kUdpConnected});
    EXPECT_EQ(Connect(fd.get(), vip_), 0);
    return fd;
  }
  void ExpectEnded(const UniqueFd& fd) {
    ExpectEventually("the socket is ended", [&] { return ReceiveError(fd) == ECONNABORTED; });
  }

 private:
  std::unique_ptr<AgentProcess> reaper_;
};

TEST_F(ReaperE2e, SocketsEndWhenTheirPodLeavesItsSlice) {
  WriteDns({pods_[0]});
  StartReaper();
  StartAgent();
  ExpectStatus("Gone pods:  their UDP sockets are ended (0 so far)");
  const UniqueFd client = DialledUdp();
  WriteDns({pods_[1]});
  ExpectEnded(client);
  ASSERT_EQ(Connect(client.get(), vip_), 0);
  ASSERT_EQ(send(client.get(), "?", 1, 0), 1);
  EXPECT_EQ(ReceiveFrom(client.get()).answer, pods_[1].ToString());
  ExpectStatus("their UDP sockets are ended (1 so far)");
  EXPECT_THAT(BodyOf(Fetch(10249, "/metrics")), HasSubstr("shunt_sockets_ended_total 1\n"));
}

TEST_F(ReaperE2e, InAPodsNetworkNamespaceToo) {
  absl::StatusOr<NetNamespace> pod = NetNamespace::Make();
  ASSERT_TRUE(pod.ok());
  const absl::Status connected = pod->ConnectPod("pod0", IpAddress::Parse("10.244.9.1").value());
  ASSERT_TRUE(connected.ok()) << connected;
  const absl::StatusOr<Resident> resident = Resident::MoveInto(*pod);
  WriteDns({pods_[0]});
  StartReaper();
  StartAgent();
  UniqueFd client;
  pod->Run([&] { client = DialledUdp(); });
  EXPECT_THAT(Ctl({"get", "sockets", "-n", "shop"}).out,
              HasSubstr(absl::StrCat(" (", resident->pid(), ")   10.244.9.1:")));
  WriteDns({});
  ExpectEnded(client);
}

TEST_F(ReaperE2e, WithoutAReaperNothingIsEndedAndStatusSaysSo) {
  WriteDns({pods_[0]});
  StartAgent();
  ExpectStatus(absl::StrCat("Gone pods:  their sockets are left alone: no reaper listens (",
                            reaper_socket(), ": No such file or directory)"));
  const UniqueFd client = DialledUdp();
  WriteDns({pods_[1]});
  ExpectEventually("the pod is gone",
                   [&] { return absl::StrContains(Ctl({"dump"}).out, pods_[1].ToString()); });
  EXPECT_EQ(ReceiveError(client), EAGAIN);
  const std::string columns = "   10.96.0.10:80   10.244.1.1:8080   UDP        Stale\n";
  EXPECT_THAT(Ctl({"get", "sockets", "-n", "shop"}).out, HasSubstr(columns));
  EXPECT_THAT(Ctl({"get", "sockets", "shop/dns", "--source", "maps"}).out, HasSubstr(columns));
  StartReaper();  // one that comes later ends what is left
  ExpectEnded(client);
  ExpectStatus("their UDP sockets are ended (1 so far)");
}

TEST_F(ReaperE2e, AReaperThatDiesIsMissedAndItsSuccessorServes) {
  WriteDns({pods_[0]});
  StartReaper();
  StartAgent();
  ExpectStatus("their UDP sockets are ended");
  EndReaper(SIGKILL);
  ExpectStatus("their sockets are left alone: ");
  const UniqueFd client = DialledUdp();
  WriteDns({pods_[1]});
  StartReaper();
  ExpectEnded(client);
  ExpectStatus("their UDP sockets are ended (1 so far)");
  EndReaper(SIGTERM);
  EXPECT_FALSE(std::filesystem::exists(reaper_socket())) << "it takes its socket along";
}

TEST_F(ReaperE2e, MapsThatAreMadeAnewAreLookedAt) {
  WriteDns({pods_[0]});
  StartReaper();
  ExpectEventually("it waits for maps",
                   [&] { return absl::StrContains(Log(), "no socket is ended"); });
  StartAgent();
  ExpectStatus("their UDP sockets are ended (0 so far)");
  EndAgent(SIGTERM);
  ASSERT_EQ(Agent({"--cleanup", "--bpffs", bpffs()}).exit_code, 0);
  StartAgent();
  ExpectStatus("their UDP sockets are ended (0 so far)");
  const UniqueFd client = DialledUdp();
  WriteDns({pods_[1]});
  ExpectEnded(client);
}

TEST_F(ReaperE2e, WhatIsGoneWhenTheAgentComesBackIsEnded) {
  WriteDns({pods_[0]});
  StartReaper();
  StartAgent();
  const UniqueFd client = DialledUdp();
  EndAgent(SIGKILL);
  WriteDns({pods_[1]});
  EXPECT_EQ(ReceiveError(client), EAGAIN);
  StartAgent();
  ExpectEnded(client);
}

TEST_F(ReaperE2e, TcpLivesOnUnlessItsServiceWantsItEnded) {
  const auto write = [&](const HostPort& pod) {
    Write("drain.yaml", {"drain", vip_, {pod}});
    Write("end.yaml",
          absl::StrReplaceAll(ToYaml({"end", other_vip_, {pod}}),
                              {{"  namespace: shop\nspec:",
                                "  namespace: shop\n  annotations:\n"
                                "    service.shunt/on-backend-removal: immediate\nspec:"}}));
  };
  write(pods_[0]);
  StartReaper();
  StartAgent();
  // Echo servers answer and hang up: what they have said is not read here.
  UniqueFd drained = OpenSocket(vip_, {}), ended = OpenSocket(other_vip_, {});
  ASSERT_EQ(Connect(drained.get(), vip_), 0);
  ASSERT_EQ(Connect(ended.get(), other_vip_), 0);
  write(pods_[1]);
  ExpectEventually("it has an error", [&] {
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(ended.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    return error == ECONNABORTED;
  });
  char answer[64];
  EXPECT_EQ(recv(drained.get(), answer, sizeof(answer), 0),
            static_cast<ssize_t>(pods_[0].ToString().size()));
}

TEST_F(ReaperE2e, RefusesWhatItDoesNotUnderstand) {
  const CommandResult wrong = Reaper({"--kill", "everything"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--kill"));
  EXPECT_EQ(Reaper({"--logging-format", "xml"}).exit_code, 2);
  EXPECT_EQ(Reaper({"--help"}).exit_code, 0);
  EXPECT_THAT(Reaper({"--version"}).out, HasSubstr("shunt-reaper 0."));
}

TEST_F(ReaperE2e, ASecondOneOnTheSameSocketEndsAtOnce) {
  StartReaper();
  const CommandResult second = Reaper({"--bpffs", bpffs(), "--socket", reaper_socket()});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("another shunt-reaper listens on "));
}

}  // namespace
}  // namespace shunt::testing
