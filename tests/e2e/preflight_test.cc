// SPDX-License-Identifier: Apache-2.0
// `shuntd preflight`: would Shunt work here?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/agent_test.h"
#include "tests/support/http_client.h"
#include "userspace/http/http_address.h"

namespace shunt::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class Preflight : public AgentTest {};

TEST_F(Preflight, SaysInOneLineACheckThatThisHostWillDoAndChangesNothing) {
  const CommandResult result = Agent({"preflight"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  for (const char* line :
       {"ok    kernel ", "ok    capabilities    BPF, NET_ADMIN, PERFMON\n",
        "ok    programs        the kernel takes all of them\n", "ok    map memory ",
        "ok    health port     0.0.0.0:10256\n", "ok    metrics port    127.0.0.1:10249\n",
        "ok    kube-proxy      no trace of it\n", "API server ",
        "ok    configuration   all of it has a meaning here\n"}) {
    EXPECT_THAT(result.out, HasSubstr(line));
  }
  EXPECT_NE(access(bpffs().c_str(), F_OK), 0);
}

TEST_F(Preflight, NamesWhatIsInTheWay) {
  const absl::StatusOr<UniqueFd> kube_proxy =
      ListenOn({.ip = *IpAddress::Parse("0.0.0.0"), .port = 10256});
  ASSERT_TRUE(kube_proxy.ok()) << kube_proxy.status();
  const std::string file = directory() + "/proxy.yaml";
  std::ofstream(file) << "apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
                         "kind: KubeProxyConfiguration\nipvs: {scheduler: sh}\n"
                         "clientConnection: {kubeconfig: "
                      << directory() << "/kubeconfig}\n";
  std::ofstream(directory() + "/kubeconfig")
      << "apiVersion: v1\nkind: Config\n"
         "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n";
  const CommandResult result = Agent({"preflight", "--config", file});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("note  health port     0.0.0.0:10256 is taken"));
  EXPECT_THAT(result.out, ContainsRegex("FAIL  API server      https://127.0.0.1:1 .*refused"));
  EXPECT_THAT(result.out, HasSubstr("without meaning to Shunt: ipvs.scheduler"));
  EXPECT_THAT(result.err, HasSubstr("1 of the checks failed"));
}

TEST_F(Preflight, AConfigurationThatIsWrongIsALineAndTheRestIsCheckedAllTheSame) {
  const std::string file = directory() + "/proxy.yaml";
  std::ofstream(file) << "apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
                         "kind: KubeProxyConfiguration\nmode: userspace\n";
  const CommandResult result = Agent({"preflight", "--config", file});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("FAIL  configuration   " + file + ":3: mode: \"userspace\""));
  EXPECT_THAT(result.out, HasSubstr("ok    programs "));
}

TEST_F(Preflight, WhereKubeProxyNeverWasItsConfigurationIsNotMissed) {
  const CommandResult result = Agent({"preflight", "--config", "/no/such/config.conf"});
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_THAT(result.out, HasSubstr("note  configuration   /no/such/config.conf is not there"));
}

TEST_F(Preflight, FindsKubeProxysRules) {
  const auto nft = [](const std::string& command) {
    return RunCommand({"sh", "-c", "nft " + command},
                      {.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
  };
  const absl::StatusOr<CommandResult> added =
      nft("'add table ip kube-proxy; add chain ip kube-proxy services'");
  ASSERT_TRUE(added.ok()) << added.status();
  if (added->exit_code != 0) GTEST_SKIP() << "needs nft: " << added->err;
  EXPECT_THAT(Agent({"preflight"}).out, HasSubstr("note  kube-proxy      its nftables table"));
  ASSERT_TRUE(nft("delete table ip kube-proxy").ok());
  EXPECT_THAT(Agent({"preflight"}).out, HasSubstr("ok    kube-proxy      no trace of it"));
}

TEST_F(Preflight, WithoutCapabilitiesItSaysWhichAreMissing) {
  const absl::StatusOr<CommandResult> result =
      RunCommand({"setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin", SHUNT_AGENT, "preflight"},
                 {.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_THAT(result->out, HasSubstr("FAIL  capabilities    missing: BPF, PERFMON\n"));
  EXPECT_THAT(result->out, HasSubstr("FAIL  programs        the kernel refuses to load"));
}

}  // namespace
}  // namespace shunt::testing
