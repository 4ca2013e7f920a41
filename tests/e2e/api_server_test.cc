// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "tests/e2e/agent_test.h"
#include "tests/unit/kubernetes/fake_cluster.h"
#include "userspace/http/http_server.h"

namespace shunt::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

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
  std::unique_ptr<AgentProcess> Follow(const std::vector<std::string>& more = {},
                                       const std::string& bpffs = "") {
    std::vector<std::string> arguments = Arguments();
    arguments[0] = "--kubeconfig";  // and not --manifests
    arguments[1] = directory() + "/kubeconfig";
    if (!bpffs.empty()) arguments[5] = bpffs;
    arguments.insert(arguments.end(), {"--api-servers-file", directory() + "/api-servers"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto agent =
        AgentProcess::Start(arguments, absl::StrCat(directory(), "/follower-", ++count_, ".log"));
    EXPECT_TRUE(agent.ok()) << agent.status();
    return *std::move(agent);
  }

  // Waits for an Event on the Node with that reason, and returns it.
  Json EventOf(const std::string& reason) {
    Json event;
    ExpectEventually("an Event " + reason, [&] {
      for (const std::string& posted : cluster_.posted()) {
        if (Json::parse(posted)["reason"] == reason) event = Json::parse(posted);
      }
      return !event.is_null();
    });
    EXPECT_EQ(event["regarding"]["uid"], "node-a");
    return event;
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

TEST_F(ApiServerTest, WithoutTheNodeWhatNeedsNoneIsServedAndNothingIsTakenAway) {
  std::unique_ptr<AgentProcess> agent = Follow();
  ExpectServedBy(vip_, pods_[0]);
  agent->Signal(SIGTERM);
  EXPECT_EQ(agent->WaitForExit(absl::Seconds(20)), 0);

  std::atomic<bool> node_is_late = true;
  cluster_.fault = [&](TlsServer::Exchange& exchange) {
    if (!node_is_late || !exchange.Asks("/nodes?")) return false;
    exchange.Answer(503, "");
    return true;
  };
  for (auto& [resource, objects] : cluster_.objects) {
    for (std::string& object : objects) {
      object = absl::StrReplaceAll(object, {{"web", "other"}, {"10.96.0.10", "10.96.0.11"}});
    }
  }
  agent = Follow();
  ExpectServedBy(other_vip_, pods_[0]);
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString()) << "it is gone, but not all is listed";
  EXPECT_TRUE(absl::StrContains(Ctl({"status"}).out, "nodes: HTTP 503"));
  node_is_late = false;
  ExpectEventually("what is gone is taken away", [&] { return Dial(vip_).answer.empty(); });
  ExpectServedBy(other_vip_, pods_[0]);
}

TEST_F(ApiServerTest, TheNodeIsToldOfTheStartAndOfAHealthCheckPortThatIsTaken) {
  const auto other = HttpServer::Start().value();
  const HttpAddress taken = {.ip = IpAddress(), .port = 30'100};
  ASSERT_TRUE(other->Open(taken, [](const HttpRequest&) { return HttpResponse(); }).ok());
  const std::unique_ptr<AgentProcess> agent = Follow();
  EXPECT_EQ(EventOf("Starting")["type"], "Normal");
  cluster_.Happens("services", "MODIFIED", absl::StrReplaceAll(kService, {{"\"spec\":{", R"("spec":{
      "type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":30100,)"}}));
  const Json event = EventOf("FailedToStartServiceHealthcheck");
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["related"]["name"], "web");
  EXPECT_THAT(event["note"], HasSubstr("Service shop/web: health check node port "));
  EXPECT_THAT(event["note"], HasSubstr(":30100: "));
}

TEST_F(ApiServerTest, TheNodeIsToldOfAMapThatIsFullWhileTheOthersAreServed) {
  const std::unique_ptr<AgentProcess> agent = Follow();
  ExpectServedBy(vip_, pods_[0]);
  Json big = Json::parse(kService);
  big["metadata"]["name"] = "big";
  big["spec"]["clusterIP"] = "10.96.0.99";
  for (int i = 0; i < 1100; ++i) {
    big["spec"]["externalIPs"].push_back(absl::StrCat("192.0.", 2 + i / 250, ".", 1 + i % 250));
  }
  big["spec"]["ports"] = Json::array();
  for (int i = 1; i <= 300; ++i) {
    big["spec"]["ports"].push_back({{"name", absl::StrCat("p", i)}, {"port", i}});
  }
  cluster_.Happens("services", "ADDED", big.dump() + "\n");
  EXPECT_THAT(EventOf("MapFull")["note"], HasSubstr("map shunt_frontends is full (262144)"));
  ExpectServedBy(vip_, pods_[0]);
}

TEST_F(ApiServerTest, TheNodeIsToldWhyTheAgentEnds) {
  const auto other = HttpServer::Start().value();
  const HttpAddress taken = {.ip = *IpAddress::Parse("127.0.0.1"), .port = 10'249};
  ASSERT_TRUE(other->Open(taken, [](const HttpRequest&) { return HttpResponse(); }).ok());
  const std::unique_ptr<AgentProcess> agent = Follow({"--bind-address-hard-fail"});
  EXPECT_EQ(agent->WaitForExit(absl::Seconds(20)), 1);
  EXPECT_THAT(EventOf("FailedToStartMetricServer")["note"], HasSubstr("127.0.0.1:10249"));
}

TEST_F(ApiServerTest, ProgramsThatCannotBeLoadedAreToldToo) {
  const std::unique_ptr<AgentProcess> agent = Follow({}, directory() + "/no-bpffs");
  EXPECT_EQ(agent->WaitForExit(absl::Seconds(20)), 1);
  EXPECT_THAT(EventOf("FailedToLoadPrograms")["note"], HasSubstr("there is no bpf file system"));
}

TEST_F(ApiServerTest, AKubeconfigThatMakesNoSenseEndsTheStartWithItsLine) {
  std::ofstream(directory() + "/kubeconfig") << "current-context: x\ncontexts: nothing\n";
  const std::unique_ptr<AgentProcess> agent = Follow();
  EXPECT_EQ(agent->WaitForExit(absl::Seconds(20)), 1);
  EXPECT_TRUE(absl::StrContains(agent->Log(), "kubeconfig:2: contexts: expected a list of maps"));
}

}  // namespace
}  // namespace shunt::testing
