// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_KUBERNETES_SOURCE_FIXTURE_H_
#define SHUNT_TESTS_UNIT_KUBERNETES_SOURCE_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/wait_for.h"
#include "tests/unit/kubernetes/fake_cluster.h"
#include "tests/unit/manifests/temporary_directory.h"
#include "userspace/sources/kubernetes/kubernetes_source.h"

namespace shunt {

class KubernetesSourceTest : public ::testing::Test {
 protected:
  KubernetesSourceTest() { directory_.Write("ca.crt", authority_.pem()); }

  std::unique_ptr<TlsServer> NewServer(FakeCluster& cluster) {
    return std::make_unique<TlsServer>(
        authority_.Issue("IP:127.0.0.1"),
        [&cluster](TlsServer::Exchange& exchange) { return cluster.Serve(exchange); });
  }
  KubernetesSource::Options Options(const std::string& server, const std::string& user,
                                    std::vector<std::string> api_servers) {
    directory_.Write(
        "config",
        absl::StrCat("current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n",
                     "clusters: [{name: c, cluster: {server: '", server,
                     "', certificate-authority: ca.crt}}]\n", "users: [{name: u, user: {", user,
                     "}}]\n"));
    return {.kubeconfigs = {(directory_ / "config").string()},
            .master = "",
            .api_servers = std::move(api_servers),
            .node_name = "node-a",
            .servers_file = (directory_ / "api-servers").string(),
            .user_agent = "test"};
  }
  void Start(const std::string& server, const std::string& user = "token: one",
             std::vector<std::string> api_servers = {}) {
    auto source = KubernetesSource::Start(Options(server, user, std::move(api_servers)), store_);
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
