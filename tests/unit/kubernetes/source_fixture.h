// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_KUBERNETES_SOURCE_FIXTURE_H_
#define SHUNT_TESTS_UNIT_KUBERNETES_SOURCE_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/wait_for.h"
#include "tests/unit/kubernetes/tls_server.h"
#include "tests/unit/manifests/temporary_directory.h"
#include "userspace/sources/kubernetes/kubernetes_source.h"

namespace shunt {

inline std::string ServiceOf(const std::string& name) {
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

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_KUBERNETES_SOURCE_FIXTURE_H_
