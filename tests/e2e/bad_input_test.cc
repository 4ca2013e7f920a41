// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/agent_test.h"
#include "tests/support/command.h"

namespace shunt::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Mistakes in one file: it is named, and everybody else is served.
class BadInput : public AgentTest {
 protected:
  // Waits until `shuntctl status` says all of it.
  void ExpectStatusSays(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      ExpectEventually("status says " + text, [&] {
        const CommandResult result = Ctl({"status"});
        return absl::StrContains(result.out, text);
      });
    }
  }
};

TEST_F(BadInput, ATypoKeepsTheLastGoodStateAndIsShownWithItsFile) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  Write("api.yaml", {"api", other_vip_, {pods_[1]}});
  StartAgent();
  Write("web.yaml", "kind: Service\n  metadata: [broken\n");
  ExpectStatusSays({"web.yaml"});
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString()) << "what was good still serves";
  Write("api.yaml", {"api", other_vip_, {pods_[2]}});
  ExpectServedBy(other_vip_, pods_[2]);
  Write("web.yaml", {"web", vip_, {pods_[1]}});
  ExpectServedBy(vip_, pods_[1]);
  ExpectEventually("status forgets the typo",
                   [&] { return !absl::StrContains(Ctl({"status"}).out, "web.yaml"); });
}

TEST_F(BadInput, ATypoAtTheStartDoesNotStopTheOthers) {
  Write("a-broken.yaml", "{{{{");
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
  ExpectStatusSays({"a-broken.yaml"});
}

TEST_F(BadInput, ABadFieldIsNamedWithFileObjectAndField) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  Write("bad.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: bad, namespace: shop}\n"
        "spec:\n  clusterIP: 10.96.0.99\n  ports:\n  - {port: 70000, protocol: TCP}\n");
  StartAgent();
  ExpectStatusSays({"bad.yaml", "Service shop/bad", "spec.ports[0].port", "70000"});
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
}

TEST_F(BadInput, TwoServicesWithOneAddressAreShown) {
  Write("a.yaml", {"a", vip_, {pods_[0]}});
  Write("b.yaml", {"b", vip_, {pods_[1]}});
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString()) << "the first by name";
  ExpectStatusSays({"Service shop/b", "shop/a"});
  std::filesystem::remove(manifests() + "/a.yaml");
  ExpectServedBy(vip_, pods_[1]);
}

TEST_F(BadInput, WhatCannotBeReadIsNamedAndHarmsNobody) {
  namespace fs = std::filesystem;
  fs::create_symlink("loop.yaml", manifests() + "/loop.yaml");
  fs::create_symlink("nowhere", manifests() + "/dangling.yaml");
  Write("nul.yaml", std::string("kind: Service\0\0\0", 16));
  Write("deep.yaml", std::string(100'000, '['));
  Write("anchors.yaml", "a: &a [*a, *a]\n");
  Write("unknown.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n");
  Write("empty.yaml", "");
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
  ExpectStatusSays({"loop.yaml", "nul.yaml", "deep.yaml", "anchors.yaml"});
  Write("web.yaml", {"web", vip_, {pods_[1]}});
  ExpectServedBy(vip_, pods_[1]);
}

TEST_F(BadInput, AHugeFileIsRefusedByNameAndTheOthersServe) {
  Write("huge.yaml", std::string(100 << 20, '#'));
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
  ExpectStatusSays({"huge.yaml"});
}

// What is missing on a host, in one line that says how to get it.
class MissingOnHost : public AgentTest {
 protected:
  // The only line that it wrote, where it ended with 1.
  std::string Complaint(std::vector<std::string> arguments) {
    const CommandResult result = Agent(arguments);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    const std::string said = result.out + result.err;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    return said;
  }

  // The arguments, but another value for one of them.
  std::vector<std::string> With(const std::string& flag, const std::string& value) const {
    std::vector<std::string> arguments = Arguments();
    *(std::find(arguments.begin(), arguments.end(), flag) + 1) = value;
    return arguments;
  }
};

TEST_F(MissingOnHost, NoBpfFileSystem) {
  EXPECT_THAT(Complaint(With("--bpffs", directory() + "/pins")),
              AllOf(HasSubstr(directory()), HasSubstr("mount -t bpf")));
}

TEST_F(MissingOnHost, NoCgroupVersion2) {
  EXPECT_THAT(Complaint(With("--cgroup", directory())),
              AllOf(HasSubstr(directory()), HasSubstr("cgroup")));
  EXPECT_THAT(Complaint(With("--cgroup", "/no/such/cgroup")), HasSubstr("/no/such/cgroup"));
}

TEST_F(MissingOnHost, NoRoot) {
  std::vector<std::string> command = {"setpriv",        "--reuid=65534",   "--regid=65534",
                                      "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
                                      SHUNT_AGENT};
  for (const std::string& argument : Arguments()) command.push_back(argument);
  absl::StatusOr<CommandResult> result = RunCommand(command);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_THAT(result->err, ::testing::AnyOf(HasSubstr("root"), HasSubstr("CAP_"))) << result->err;
}

TEST_F(MissingOnHost, InitOnlyMountsWhatIsNotThere) {
  // In mounts of its own, where neither file system is there; and again when
  // both are.
  const std::string script =
      "set -e; umount -t cgroup2 -a; mount -t tmpfs none /run; mount -t tmpfs none "
      "/sys/fs/bpf; " SHUNT_AGENT " --init-only; " SHUNT_AGENT
      " --init-only; cat /proc/self/mounts";
  absl::StatusOr<CommandResult> result = RunCommand({"unshare", "-m", "sh", "-c", script});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0) << result->err;
  EXPECT_THAT(result->out, HasSubstr(" /sys/fs/bpf bpf "));
  EXPECT_THAT(result->out, HasSubstr(" /run/shunt/cgroupv2 cgroup2 "));
}

TEST_F(MissingOnHost, WrongUsageIsTwo) {
  EXPECT_EQ(Agent({"--no-such-flag"}).exit_code, 2);
  EXPECT_EQ(Agent({}).exit_code, 2) << "--manifests is missing";
  EXPECT_EQ(Agent({"--manifests", manifests(), "--logging-format", "xml"}).exit_code, 2);
  EXPECT_EQ(Agent({"--version"}).exit_code, 0);
  EXPECT_EQ(Agent({"--help"}).exit_code, 0);
}

}  // namespace
}  // namespace shunt::testing
