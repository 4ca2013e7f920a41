// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "tests/e2e/agent_test.h"

namespace shunt::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Shuntctl : public AgentTest {};

TEST_F(Shuntctl, ShowsTheSameTableWithTheAgentAndWithoutIt) {
  Write("web.yaml", {"web", vip_, pods_});
  Write("none.yaml", {"none", other_vip_, {}});
  StartAgent();
  const CommandResult alive = Ctl({"dump"});
  EXPECT_EQ(alive.exit_code, 0);
  EXPECT_THAT(alive.err, IsEmpty());
  EXPECT_THAT(alive.out, AllOf(HasSubstr("10.244.1.3:8080"), HasSubstr("refused")));
  EXPECT_EQ(Ctl({"dump", "--source", "maps"}).out, alive.out);
  EndAgent(SIGKILL);
  const CommandResult dead = Ctl({"dump"});
  EXPECT_EQ(dead.exit_code, 0);
  EXPECT_EQ(dead.out, alive.out);
  EXPECT_THAT(dead.err, HasSubstr("maps")) << "a notice says where this is from";
  EXPECT_EQ(Ctl({"dump", "--source", "agent"}).exit_code, 1);
}

TEST_F(Shuntctl, EveryCommandAnswersWithTheAgentAndWithoutIt) {
  Write("web.yaml", {"web", vip_, pods_});
  StartAgent();
  const std::vector<std::vector<std::string>> commands = {{"get", "services", "-A"},
                                                          {"get", "services", "-A", "-o", "wide"},
                                                          {"get", "services", "-A", "-o", "json"},
                                                          {"get", "backends", "-A", "-o", "yaml"},
                                                          {"get", "maps"},
                                                          {"get", "programs"},
                                                          {"get", "affinity", "-o", "json"},
                                                          {"explain", "connect", "10.96.0.10:80"},
                                                          {"opt-out", "list", "-o", "json"},
                                                          {"describe", "service", "shop/web"},
                                                          {"status"},
                                                          {"dump"},
                                                          {"version"},
                                                          {"completion", "bash"}};
  for (const char* state : {"alive", "dead"}) {
    for (const auto& command : commands) {
      SCOPED_TRACE(command[0] + " " + command.back() + ", agent " + state);
      const CommandResult result = Ctl(command);
      EXPECT_EQ(result.exit_code, 0) << result.err;
      EXPECT_FALSE(result.out.empty());
    }
    EndAgent(SIGKILL);
  }
}

TEST_F(Shuntctl, ExitCodesAre1ForErrorsAnd2ForWrongUsage) {
  Write("web.yaml", {"web", vip_, pods_});
  StartAgent();
  EXPECT_EQ(Ctl({"describe", "service", "shop/no-such"}).exit_code, 1);
  EXPECT_EQ(Ctl({"describe", "service"}).exit_code, 2);
  EXPECT_EQ(Ctl({"get", "nothing"}).exit_code, 2);
  EXPECT_EQ(Ctl({"get", "services", "-o", "xml"}).exit_code, 2);
  EXPECT_EQ(Ctl({}).exit_code, 2);
}

TEST_F(Shuntctl, TheSocketIsForItsOwnerAndGroupOnly) {
  StartAgent();
  struct stat status;
  ASSERT_EQ(stat(socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
}

TEST_F(Shuntctl, SaysWhatToDoWhereNothingRunsAndNothingIsPinned) {
  const CommandResult result = Ctl({"dump"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(bpffs()));
}

TEST_F(Shuntctl, ProbesAnswerForAnAgentThatWorksAndNotForOneThatHangs) {
  EXPECT_EQ(Ctl({"health", "live"}).exit_code, 1) << "no agent yet";
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EXPECT_EQ(Ctl({"health", "live"}).out, "alive\n");
  EXPECT_EQ(Ctl({"health", "ready"}).out, "ready\n");
  agent().Signal(SIGSTOP);
  const CommandResult hangs = Ctl({"health", "live", "--request-timeout", "0.5"});
  EXPECT_EQ(hangs.exit_code, 1);
  EXPECT_THAT(hangs.err, HasSubstr("does not answer within"));
  agent().Signal(SIGCONT);
  EXPECT_EQ(Ctl({"health", "ready"}).exit_code, 0);
}

class Cleanup : public AgentTest {
 protected:
  CommandResult Clean() { return Agent({"--cleanup", "--bpffs", bpffs()}); }
};

TEST_F(Cleanup, RemovesEveryPinAndProgramAndEndsTranslation) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  ASSERT_EQ(Dial(vip_).answer, pods_[0].ToString());
  EndAgent(SIGTERM);
  const CommandResult result = Clean();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(access(bpffs().c_str(), F_OK), 0) << "the directory is gone";
  EXPECT_EQ(Dial(vip_).error, ENETUNREACH);
  // No program is attached to the cgroup any more.
  absl::StatusOr<CommandResult> programs =
      RunCommand({"bpftool", "cgroup", "list", cgroup()},
                 {.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
  ASSERT_TRUE(programs.ok()) << programs.status();
  EXPECT_THAT(programs->out, ::testing::Not(HasSubstr("shunt_"))) << programs->out;
  EXPECT_EQ(Clean().exit_code, 0) << "again: nothing is there, which is what was wanted";
}

TEST_F(Cleanup, RefusesWhileAnAgentRuns) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  const CommandResult result = Clean();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(bpffs()));
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
}

TEST_F(Cleanup, AnAgentThatStartsAfterItServesAgain) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EndAgent(SIGKILL);
  ASSERT_EQ(Clean().exit_code, 0);
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
}

}  // namespace
}  // namespace shunt::testing
