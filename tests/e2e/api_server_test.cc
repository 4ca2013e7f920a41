// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "tests/e2e/agent_test.h"
#include "tests/unit/kubernetes/fake_cluster.h"

namespace shunt::testing {
namespace {

constexpr char kService[] = R"({"kind":"Service","apiVersion":"v1",
  "metadata":{"name":"web","namespace":"shop","resourceVersion":"1"},
  "spec":{"clusterIP":"10.96.0.10","ports":[{"name":"http","port":80}]}})";
constexpr char kSlice[] = R"({"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1",
  "metadata":{"name":"web-1","namespace":"shop","resourceVersion":"2",
              "labels":{"kubernetes.io/service-name":"web"}},
  "addressType":"IPv4","ports":[{"name":"http","port":8080}],"endpoints":[{"addresses":["$0"]}]})";

// The real agent at an API server that the test plays.
class ApiServerTest : public AgentTest {
 protected:
  void SetUp() override {
    AgentTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    cluster_.objects = {{"services", {kService}},
                        {"endpointslices", {absl::Substitute(kSlice, "10.244.1.1")}},
                        {"nodes", {}}};
    server_ = std::make_unique<TlsServer>(
        authority_.Issue("IP:127.0.0.1"),
        [this](TlsServer::Exchange& exchange) { return cluster_.Serve(exchange); });
    std::ofstream(directory() + "/ca.crt") << authority_.pem();
    std::ofstream(directory() + "/kubeconfig") << absl::StrCat(
        "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n",
        "clusters: [{name: c, cluster: {server: '", server_->url(),
        "', certificate-authority: ca.crt}}]\nusers: [{name: u, user: {token: s3cr3t-t0k3n}}]\n");
  }
  void TearDown() override {
    server_.reset();
    AgentTest::TearDown();
  }
  std::unique_ptr<AgentProcess> Follow() {
    std::vector<std::string> arguments = Arguments();
    arguments[0] = "--kubeconfig";  // and not --manifests
    arguments[1] = directory() + "/kubeconfig";
    arguments.insert(arguments.end(), {"--api-servers-file", directory() + "/api-servers"});
    auto agent =
        AgentProcess::Start(arguments, absl::StrCat(directory(), "/follower-", ++count_, ".log"));
    EXPECT_TRUE(agent.ok()) << agent.status();
    return *std::move(agent);
  }

  TestAuthority authority_;
  FakeCluster cluster_;
  std::unique_ptr<TlsServer> server_;
  int count_ = 0;
};

TEST_F(ApiServerTest, TrafficFollowsTheApiServerAndOutlivesItAndTheAgent) {
  std::unique_ptr<AgentProcess> agent = Follow();
  ExpectServedBy(vip_, pods_[0]);
  cluster_.Happens("endpointslices", "MODIFIED", absl::Substitute(kSlice, "10.244.1.2"));
  ExpectServedBy(vip_, pods_[1]);
  EXPECT_TRUE(absl::StrContains(Ctl({"status"}).out,
                                absl::StrCat("kubernetes ", server_->url(), ", heard ")));

  server_.reset();
  ExpectEventually("status tells of the server that is gone", [&] {
    return absl::StrContains(Ctl({"status"}).out, " ago; services");  // perhaps with others
  });
  ExpectServedBy(vip_, pods_[1]);

  EXPECT_FALSE(absl::StrContains(agent->Log(), "s3cr3t"));
  agent->Signal(SIGTERM);
  EXPECT_EQ(agent->WaitForExit(absl::Seconds(20)), 0);
  agent = Follow();  // nothing answers, and nothing is taken away
  ExpectEventually("it says what it waits for",
                   [&] { return absl::StrContains(Ctl({"status"}).out, "not yet listed: "); });
  ExpectServedBy(vip_, pods_[1]);
}

TEST_F(ApiServerTest, AKubeconfigThatMakesNoSenseEndsTheStartWithItsLine) {
  std::ofstream(directory() + "/kubeconfig") << "current-context: x\ncontexts: nothing\n";
  const std::unique_ptr<AgentProcess> agent = Follow();
  EXPECT_EQ(agent->WaitForExit(absl::Seconds(20)), 1);
  EXPECT_TRUE(absl::StrContains(agent->Log(), "kubeconfig:2: contexts: expected a list of maps"));
}

}  // namespace
}  // namespace shunt::testing
