// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/agent_test.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/cgroup.h"
#include "tests/support/files.h"
#include "tests/support/wait_for.h"
#include "userspace/datapath/datapath.h"

namespace shunt::testing {

void AgentTest::SetUp() {
  PrivilegedTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  static int count = 0;
  const std::string name = absl::StrCat("test-", ++count);
  directory_ = absl::StrCat(GetEnvironment()->directory, "/", name);
  bpffs_ = absl::StrCat(GetEnvironment()->bpffs, "/", name);
  cgroup_ = absl::StrCat(GetEnvironment()->cgroup, "/", name);
  ASSERT_EQ(mkdir(directory_.c_str(), 0755), 0);
  ASSERT_EQ(mkdir(manifests().c_str(), 0755), 0);
  ASSERT_TRUE(MakeCgroup(cgroup_).ok());
  ASSERT_TRUE(JoinCgroup(cgroup_).ok());
  std::vector<Listener> listeners;
  for (const HostPort& pod : pods_) {
    for (shunt_protocol protocol : {SHUNT_TCP, SHUNT_UDP}) listeners.push_back({pod, protocol});
  }
  absl::StatusOr<std::unique_ptr<EchoServers>> servers = EchoServers::Start(listeners);
  ASSERT_TRUE(servers.ok()) << servers.status();
  servers_ = *std::move(servers);
}

void AgentTest::TearDown() {
  if (HasFailure() && agent_ != nullptr) printf("the agent's log:\n%s\n", agent_->Log().c_str());
  agent_.reset();
  servers_.reset();
  if (cgroup_.empty()) return;
  EXPECT_TRUE(JoinCgroup(GetEnvironment()->cgroup).ok());
  const absl::Status removed = RemoveDatapath(bpffs_);
  EXPECT_TRUE(removed.ok()) << removed;
  const absl::Status cleaned = RemoveCgroup(cgroup_);
  EXPECT_TRUE(cleaned.ok()) << cleaned;
}

std::vector<std::string> AgentTest::Arguments() const {
  return {"--manifests",  manifests(),       "--cgroup",
          cgroup(),       "--bpffs",         bpffs(),
          "--api-socket", socket(),          "--hostname-override",
          "node-a",       "--reaper-socket", reaper_socket()};
}

std::unique_ptr<AgentProcess> AgentTest::Launch(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = Arguments();
  arguments.insert(arguments.end(), more.begin(), more.end());
  const std::string log = absl::StrCat(directory_, "/agent-", ++launched_, ".log");
  absl::StatusOr<std::unique_ptr<AgentProcess>> agent = AgentProcess::Start(arguments, log);
  EXPECT_TRUE(agent.ok()) << agent.status();
  return agent.ok() ? *std::move(agent) : nullptr;
}

void AgentTest::StartAgent(const std::vector<std::string>& more) {
  agent_ = Launch(more);
  ASSERT_NE(agent_, nullptr);
  const bool serves = WaitFor([&] {
    return agent_->WaitForExit(absl::ZeroDuration()).has_value() ||
           absl::StrContains(agent_->Log(), "\"serving\"");
  });
  ASSERT_TRUE(serves && !agent_->WaitForExit(absl::ZeroDuration()).has_value()) << agent_->Log();
}

void AgentTest::EndAgent(int signal) {
  agent_->Signal(signal);
  ASSERT_TRUE(agent_->WaitForExit(absl::Seconds(20)).has_value()) << agent_->Log();
}

CommandResult AgentTest::Ctl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), SHUNT_CTL);
  absl::StatusOr<CommandResult> result = RunCommand(
      arguments, {.environment = {"SHUNT_SOCKET=" + socket(), "SHUNT_BPFFS=" + bpffs()}});
  EXPECT_TRUE(result.ok()) << result.status();
  return result.value_or(CommandResult{.exit_code = -1});
}

CommandResult AgentTest::Agent(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {SHUNT_AGENT};
  all.insert(all.end(), arguments.begin(), arguments.end());
  absl::StatusOr<CommandResult> result = RunCommand(all, {.limit = absl::Seconds(20)});
  EXPECT_TRUE(result.ok()) << result.status();
  return result.value_or(CommandResult{.exit_code = -1});
}

void AgentTest::Write(const std::string& file, const std::string& text) {
  const absl::Status written = WriteFile(absl::StrCat(manifests(), "/", file), text);
  ASSERT_TRUE(written.ok()) << written;
}

void AgentTest::ExpectServedBy(const HostPort& vip, const HostPort& pod) {
  ExpectEventually(absl::StrCat(vip.ToString(), " is served by ", pod.ToString()),
                   [&] { return Dial(vip).answer == pod.ToString(); });
}

void AgentTest::ExpectError(const HostPort& vip, int error) {
  ExpectEventually(absl::StrCat(vip.ToString(), ": ", strerror(error)),
                   [&] { return Dial(vip).error == error; });
}

void AgentTest::ExpectEventually(const std::string& what, const std::function<bool()>& condition) {
  EXPECT_TRUE(WaitFor(condition, absl::Seconds(10))) << "never: " << what;
}

}  // namespace shunt::testing
