// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/e2e/agent_test.h"
#include "tests/e2e/client.h"
#include "tests/support/files.h"
#include "tests/support/wait_for.h"

namespace shunt::testing {
namespace {

// Files that change while the agent runs, in the ways that people and tools
// change them.
class Change : public AgentTest {};

TEST_F(Change, AServiceThatIsThereAtTheStartIsServed) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  Write("dns.yaml", {"dns", other_vip_, {pods_[1]}, "UDP"});
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
  EXPECT_EQ(Dial(other_vip_, {.transport = Transport::kUdp}).answer, pods_[1].ToString());
  EXPECT_EQ(Ctl({"dump"}).out,
            "FRONTEND            SERVICE         BACKEND           NOTE\n"
            "10.96.0.10:80/TCP   shop/web:main   10.244.1.1:8080\n"
            "10.96.0.11:80/UDP   shop/dns:main   10.244.1.2:8080\n");
}

TEST_F(Change, AnEditInPlaceIsFollowed) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  Write("web.yaml", {"web", vip_, {pods_[1]}});
  ExpectServedBy(vip_, pods_[1]);
}

TEST_F(Change, AnAtomicRenameIsFollowed) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  const std::string outside = directory() + "/new.yaml";
  ASSERT_TRUE(WriteFile(outside, ToYaml({"web", vip_, {pods_[1]}})).ok());
  std::filesystem::rename(outside, manifests() + "/web.yaml");
  ExpectServedBy(vip_, pods_[1]);
}

TEST_F(Change, ASymlinkSwapOfAMountedConfigMapIsFollowed) {
  // As kubelet lays it out: web.yaml -> ..data/web.yaml, ..data -> ..v1
  namespace fs = std::filesystem;
  const fs::path root = manifests();
  for (int version : {1, 2}) {
    const fs::path directory = root / absl::StrCat("..v", version);
    fs::create_directory(directory);
    const ManifestSpec spec = {"web", vip_, {pods_[version - 1]}};
    ASSERT_TRUE(WriteFile(directory / "web.yaml", ToYaml(spec)).ok());
  }
  fs::create_symlink("..v1", root / "..data");
  fs::create_symlink("..data/web.yaml", root / "web.yaml");
  StartAgent();
  ASSERT_EQ(Dial(vip_).answer, pods_[0].ToString());
  fs::create_symlink("..v2", root / "..data_tmp");
  fs::rename(root / "..data_tmp", root / "..data");
  fs::remove_all(root / "..v1");
  ExpectServedBy(vip_, pods_[1]);
}

TEST_F(Change, FilesComeAndGo) {
  StartAgent();
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  ExpectServedBy(vip_, pods_[0]);
  std::filesystem::remove(manifests() + "/web.yaml");
  ExpectError(vip_, ENETUNREACH);
}

TEST_F(Change, TheLastPodThatGoesMakesTheServiceRefuseAtOnce) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  Write("web.yaml", {"web", vip_, {}});
  ExpectError(vip_, ECONNREFUSED);
}

TEST_F(Change, ThePodListChangesUnderLoadWithoutAFailure) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  Client client(vip_);
  for (int i = 0; i < 200; ++i) {
    const std::string file = manifests() + "/.web.tmp";
    ASSERT_TRUE(WriteFile(file, ToYaml({"web", vip_, {pods_[i % 3], pods_[(i + 1) % 3]}})).ok());
    std::filesystem::rename(file, manifests() + "/web.yaml");
    const uint64_t before = client.attempts();
    EXPECT_TRUE(WaitFor([&] { return client.attempts() > before; }));
  }
  client.Stop();
  EXPECT_EQ(client.failures(), 0u) << client.first_failure();
}

// From the close of a file until a connection goes to the new pod. Printed, as
// a busy machine may be late. The pause is that after which the agent acts at
// once; without it changes are collected for 5 ms.
TEST_F(Change, IsInTheKernelSoonAfterTheClose) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  for (absl::Duration pause : {absl::Milliseconds(30), absl::ZeroDuration()}) {
    std::vector<absl::Duration> delays;
    for (int i = 1; i <= 30; ++i) {
      absl::SleepFor(pause);
      Write("web.yaml", {"web", vip_, {pods_[i % 3]}});
      const absl::Time closed = absl::Now();
      ExpectServedBy(vip_, pods_[i % 3]);
      delays.push_back(absl::Now() - closed);
    }
    std::sort(delays.begin(), delays.end());
    printf("close to kernel, a pause of %s between: median %s, worst %s\n",
           absl::FormatDuration(pause).c_str(), absl::FormatDuration(delays[15]).c_str(),
           absl::FormatDuration(delays.back()).c_str());
  }
}

}  // namespace
}  // namespace shunt::testing
