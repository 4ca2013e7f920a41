// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/e2e/agent_test.h"
#include "tests/e2e/client.h"
#include "tests/support/wait_for.h"
#include "userspace/datapath/inspect.h"

namespace shunt::testing {
namespace {

using ::testing::HasSubstr;

// What the death and the return of the agent mean for traffic: nothing.
class Restart : public AgentTest {
 protected:
  // Every frontend with its ids and slots, in bytes that can be compared.
  std::vector<std::string> FrontendsInKernel() {
    std::vector<std::string> result;
    absl::StatusOr<std::unique_ptr<MapStore>> maps = OpenPinnedMaps(bpffs());
    EXPECT_TRUE(maps.ok()) << maps.status();
    if (!maps.ok()) return result;
    const std::vector<MapStore::FrontendEntry> frontends = (*maps)->Frontends().value();
    for (const auto& [key, value] : frontends) {
      result.emplace_back(reinterpret_cast<const char*>(&key), sizeof(key));
      result.back().append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    std::sort(result.begin(), result.end());
    return result;
  }
};

TEST_F(Restart, TwentyKillsCostNoConnection) {
  Write("web.yaml", {"web", vip_, pods_});
  StartAgent();
  Client client(vip_);
  for (int i = 0; i < 20; ++i) {
    const uint64_t before = client.attempts();
    EndAgent(SIGKILL);
    // Something changes while nobody looks, so that the next one has work.
    Write("web.yaml", {"web", vip_, {pods_[i % 3], pods_[(i + 1) % 3]}});
    StartAgent();
    EXPECT_TRUE(WaitFor([&] { return client.attempts() > before + 20; }));
  }
  client.Stop();
  EXPECT_EQ(client.failures(), 0u) << client.first_failure();
  printf("%lu connections during 20 restarts\n", client.attempts());
}

TEST_F(Restart, TheKernelServesAloneWhatTheLastAgentLeft) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EndAgent(SIGKILL);
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
  EXPECT_EQ(Dial(vip_).peer, vip_.ToString());
}

TEST_F(Restart, SigtermEndsWithinASecondAndLeavesTrafficServed) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  const absl::Time start = absl::Now();
  agent().Signal(SIGTERM);
  EXPECT_EQ(agent().WaitForExit(absl::Seconds(20)), 0) << agent().Log();
  const absl::Duration took = absl::Now() - start;
  EXPECT_LT(took, absl::Seconds(1));
  printf("SIGTERM to exit: %s\n", absl::FormatDuration(took).c_str());
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
}

TEST_F(Restart, WritesNothingWhenNothingHasChanged) {
  for (int i = 0; i < 50; ++i) {
    const HostPort vip = {IpAddress::Parse(absl::StrCat("10.96.1.", i)).value(), 80};
    Write(absl::StrCat("s", i, ".yaml"), {absl::StrCat("s", i), vip, pods_});
  }
  StartAgent();
  const std::vector<std::string> before = FrontendsInKernel();
  ASSERT_EQ(before.size(), 100u) << "each ClusterIP at its port, and at all others";
  EndAgent(SIGKILL);
  StartAgent();
  EXPECT_EQ(FrontendsInKernel(), before) << "ids and slots are as they were";
  EXPECT_THAT(agent().Log(), HasSubstr("writes=0"));
}

TEST_F(Restart, FollowsWhatWentAndCameWhileItWasDead) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EndAgent(SIGKILL);
  std::filesystem::remove(manifests() + "/web.yaml");
  Write("api.yaml", {"api", other_vip_, {pods_[1]}});
  StartAgent();
  ExpectError(vip_, ENETUNREACH);
  ExpectServedBy(other_vip_, pods_[1]);
}

TEST_F(Restart, ASecondAgentRefusesAndTheFirstGoesOn) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  std::unique_ptr<AgentProcess> second = Launch();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->WaitForExit(absl::Seconds(20)), 1);
  EXPECT_THAT(second->Log(), HasSubstr(bpffs()));
  Write("web.yaml", {"web", vip_, {pods_[1]}});
  ExpectServedBy(vip_, pods_[1]);
  EXPECT_EQ(Ctl({"status", "--source", "agent"}).exit_code, 0) << "its socket is still there";
}

}  // namespace
}  // namespace shunt::testing
