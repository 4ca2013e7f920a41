// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/kubernetes_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/wait_for.h"
#include "tests/unit/kubernetes/tls_server.h"
#include "tests/unit/manifests/temporary_directory.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;
using testing::WaitFor;

std::string ServiceOf(const std::string& name) {
  return absl::StrCat(
      R"({"kind":"Service","apiVersion":"v1","metadata":{"name":")", name,
      R"(","namespace":"shop","resourceVersion":"1"},"spec":{"clusterIP":"10.96.0.10"}})");
}

// An API server of JSON that knows WatchList. The test says what is there, what
// happens, and what goes wrong.
class FakeCluster {
 public:
  // The objects in JSON, by the resource's name in its path.
  std::map<std::string, std::vector<std::string>> objects = {
      {"services", {ServiceOf("web")}}, {"endpointslices", {}}, {"nodes", {}}};
  // Answers instead where it returns true. Called from many threads.
  std::function<bool(TlsServer::Exchange&)> fault = [](TlsServer::Exchange&) { return false; };

  void Happens(const std::string& resource, const std::string& type, const std::string& object) {
    absl::MutexLock lock(&mutex_);
    events_[resource].push_back(
        absl::StrCat(R"({"type":")", type, R"(","object":)", object, "}\n"));
  }

  bool Serve(TlsServer::Exchange& exchange) {
    if (fault(exchange)) return true;
    for (const auto& [resource, listed] : objects) {
      if (exchange.Asks(absl::StrCat("/", resource, "?"))) Stream(exchange, resource, listed);
    }
    return false;
  }

 private:
  void Stream(TlsServer::Exchange& exchange, const std::string& resource,
              const std::vector<std::string>& listed) {
    static const std::map<std::string, std::string> types = {
        {"services", R"("kind":"Service","apiVersion":"v1")"},
        {"endpointslices", R"("kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1")"},
        {"nodes", R"("kind":"Node","apiVersion":"v1")"}};
    exchange.BeginStream();
    for (const std::string& object : listed) {
      exchange.Chunk(absl::StrCat(R"({"type":"ADDED","object":)", object, "}\n"));
    }
    exchange.Chunk(absl::StrCat(R"({"type":"BOOKMARK","object":{)", types.at(resource),
                                R"(,"metadata":{"resourceVersion":"5","annotations":)",
                                R"({"k8s.io/initial-events-end":"true"}}}})", "\n"));
    while (!exchange.stopped() && exchange.Chunk(NextEvent(resource))) {
    }
  }

  // A blank after a while without: whether somebody is there shows by writing.
  std::string NextEvent(const std::string& resource) {
    absl::MutexLock lock(&mutex_);
    std::vector<std::string>& queue = events_[resource];
    const auto ready = [&queue] { return !queue.empty(); };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&ready), absl::Milliseconds(20))) return " ";
    std::string event = queue.front();
    queue.erase(queue.begin());
    return event;
  }

  absl::Mutex mutex_;
  std::map<std::string, std::vector<std::string>> events_;
};

class KubernetesSourceTest : public ::testing::Test {
 protected:
  KubernetesSourceTest() { directory_.Write("ca.crt", authority_.pem()); }

  std::unique_ptr<TlsServer> NewServer(FakeCluster& cluster) {
    return std::make_unique<TlsServer>(
        authority_.Issue("IP:127.0.0.1"),
        [&cluster](TlsServer::Exchange& exchange) { return cluster.Serve(exchange); });
  }
  void Start(const std::string& server, const std::string& user = "token: one",
             std::vector<std::string> api_servers = {}) {
    directory_.Write(
        "config",
        absl::StrCat("current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n",
                     "clusters: [{name: c, cluster: {server: '", server,
                     "', certificate-authority: ca.crt}}]\n", "users: [{name: u, user: {", user,
                     "}}]\n"));
    auto source = KubernetesSource::Start({.kubeconfigs = {(directory_ / "config").string()},
                                           .api_servers = std::move(api_servers),
                                           .node_name = "node-a",
                                           .servers_file = (directory_ / "api-servers").string(),
                                           .user_agent = "test"},
                                          store_);
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }
  bool Knows(const std::string& name) {
    return store_.Find({.name_space = "shop", .name = name}).service != nullptr;
  }

  TestAuthority authority_;
  TemporaryDirectory directory_;
  FakeCluster cluster_;
  Store store_{"node-a", [] {}};
  std::unique_ptr<TlsServer> server_ = NewServer(cluster_);
  std::unique_ptr<KubernetesSource> source_;
};

TEST_F(KubernetesSourceTest, FollowsServicesSlicesAndTheNode) {
  Start(server_->url());
  ASSERT_TRUE(WaitFor([&] { return store_.synced(); }));
  EXPECT_TRUE(Knows("web"));
  cluster_.Happens("services", "ADDED", ServiceOf("api"));
  EXPECT_TRUE(WaitFor([&] { return Knows("api"); }));
  cluster_.Happens("services", "DELETED", ServiceOf("web"));
  EXPECT_TRUE(WaitFor([&] { return !Knows("web"); }));
  EXPECT_THAT(source_->stats().Describe(absl::Now()), HasSubstr(server_->url() + ", heard "));
}

TEST_F(KubernetesSourceTest, NothingIsTakenBeforeSlicesAreListed) {
  std::atomic<bool> slices_are_late = true;
  std::atomic<int> refused = 0;
  cluster_.fault = [&](TlsServer::Exchange& exchange) {
    if (!slices_are_late || !exchange.Asks("endpointslices")) return false;
    exchange.Answer(500, "");
    ++refused;
    return true;
  };
  Start(server_->url());
  ASSERT_TRUE(WaitFor([&] { return Knows("web") && refused > 1; }));
  EXPECT_FALSE(store_.synced());
  EXPECT_TRUE(store_.Take().empty());
  slices_are_late = false;
  EXPECT_TRUE(WaitFor([&] { return store_.synced(); }));
  EXPECT_FALSE(store_.Take().empty());
}

TEST_F(KubernetesSourceTest, LivesWithoutANodeThatItMayNotSee) {
  cluster_.fault = [](TlsServer::Exchange& exchange) {
    if (!exchange.Asks("/nodes?")) return false;
    exchange.Answer(403, "");
    return true;
  };
  Start(server_->url());
  EXPECT_TRUE(WaitFor([&] { return store_.synced(); }));
  EXPECT_THAT(source_->stats().Describe(absl::Now()), HasSubstr("nodes: HTTP 403"));
}

TEST_F(KubernetesSourceTest, GoesOnWithAFreshTokenWhenTheOldOneHasExpired) {
  cluster_.fault = [](TlsServer::Exchange& exchange) {
    if (exchange.head().find("Bearer two\r\n") != std::string::npos) return false;
    exchange.Answer(401, "");
    return true;
  };
  directory_.Write("token", "one");
  Start(server_->url(), "tokenFile: token");
  ASSERT_TRUE(WaitFor([&] { return source_->stats().error.find("401") != std::string::npos; }));
  directory_.Replace("token", "two");
  EXPECT_TRUE(WaitFor([&] { return store_.synced(); }));
}

TEST_F(KubernetesSourceTest, TrustsANewAuthorityOnceItsFileIsReplaced) {
  directory_.Replace("ca.crt", TestAuthority().pem());
  Start(server_->url());
  ASSERT_TRUE(WaitFor([&] { return !source_->stats().error.empty(); }));
  EXPECT_FALSE(store_.synced());
  directory_.Replace("ca.crt", authority_.pem());
  EXPECT_TRUE(WaitFor([&] { return store_.synced(); }));
}

TEST_F(KubernetesSourceTest, KeepsAllWhileItsServerIsGoneAndGoesOnWithTheNext) {
  FakeCluster other;
  other.objects["services"] = {ServiceOf("web"), ServiceOf("new")};
  Start(server_->url(), "token: one", {server_->url()});
  ASSERT_TRUE(WaitFor([&] { return store_.synced(); }));
  source_.reset();

  const auto second = NewServer(other);
  const std::string gone = server_->url();
  server_.reset();
  Start(gone, "token: one", {gone, second->url()});
  EXPECT_TRUE(Knows("web"));
  EXPECT_TRUE(WaitFor([&] { return Knows("new"); }));
  EXPECT_EQ(source_->stats().server, second->url());
  EXPECT_GT((source_->stats().requests[{gone.substr(8), 0}]), 0u);
}

TEST_F(KubernetesSourceTest, GoesOnAfterEachStreamThatBreaks) {
  std::atomic<int> broken = 0;
  cluster_.fault = [&](TlsServer::Exchange& exchange) {
    if (!exchange.Asks("/services?") || ++broken > 2) return false;
    exchange.BeginStream();
    exchange.Chunk(R"({"type":"ADDED","obj)");
    return false;
  };
  Start(server_->url());
  EXPECT_TRUE(WaitFor([&] { return store_.synced(); }));
  EXPECT_TRUE(Knows("web"));
}

TEST_F(KubernetesSourceTest, EndsAtOnceWhateverItWaitsFor) {
  cluster_.fault = [](TlsServer::Exchange& exchange) {
    exchange.BeginStream();
    exchange.WaitForClose();
    return true;
  };
  Start(server_->url());
  const absl::Time start = absl::Now();
  source_.reset();
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

TEST_F(KubernetesSourceTest, AStormOfEventsEndsInTheLastState) {
  Start(server_->url());
  ASSERT_TRUE(WaitFor([&] { return store_.synced(); }));
  for (int i = 0; i < 1000; ++i) {
    cluster_.Happens("services", "MODIFIED", ServiceOf(absl::StrCat("s", i % 10)));
  }
  cluster_.Happens("services", "DELETED", ServiceOf("s3"));
  EXPECT_TRUE(
      WaitFor([&] { return Knows("s9") && !Knows("s3") && store_.sizes().services == 10; }));
}

}  // namespace
}  // namespace shunt
