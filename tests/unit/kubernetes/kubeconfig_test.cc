// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/kubeconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/unit/manifests/temporary_directory.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr char kSecret[] = "s3cr3t-t0k3n";

class KubeconfigTest : public ::testing::Test {
 protected:
  // Line 6 begins the cluster, line 10 the user.
  std::string Text(const std::string& cluster, const std::string& user) {
    return absl::StrCat(
        "current-context: here\ncontexts:\n- {name: here, context: {cluster: c, user: u}}\n"
        "clusters:\n- name: c\n  cluster: {",
        cluster, "}\n", "users:\n- name: u\n  user:\n    {", user, "}\n");
  }
  std::string Write(const std::string& text, const std::string& name = "config") {
    const std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  absl::StatusOr<ClientConfig> Load(const std::string& text) {
    return LoadKubeconfig({Write(text)});
  }
  // The error, without the directory.
  std::string Error(const std::string& text) {
    const absl::StatusOr<ClientConfig> config = Load(text);
    EXPECT_FALSE(config.ok());
    return absl::StrReplaceAll(config.status().message(), {{directory_.path() + "/", ""}});
  }
  std::string UserError(const std::string& user) { return Error(Text("server: https://a", user)); }
  std::string ClusterError(const std::string& cluster) { return Error(Text(cluster, "token: x")); }

  TemporaryDirectory directory_;
};

TEST_F(KubeconfigTest, ReadsEveryKeyOfACluster) {
  const auto config =
      Load(Text("server: 'https://[fd00::1]:6443', tls-server-name: api.example, "
                "certificate-authority: pki/ca.crt, proxy-url: 'socks5://p:1080', "
                "disable-compression: true",
                "token: x"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->server.ToString(), "https://[fd00::1]:6443");
  EXPECT_EQ(config->tls_server_name, "api.example");
  EXPECT_EQ(config->authority.file, directory_.path() + "/pki/ca.crt");
  EXPECT_EQ(config->proxy_url, "socks5://p:1080");
  EXPECT_TRUE(config->disable_compression);
}

TEST_F(KubeconfigTest, DataGoesBeforeFilesAndATokenFileBeforeAToken) {
  const auto config =
      Load(Text("server: https://a, certificate-authority-data: aGVsbG8=, certificate-authority: x",
                "client-certificate-data: Yw==, client-certificate: c, client-key-data: aw==, "
                "client-key: /k, token: t, tokenFile: token"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->authority.data, "hello");
  EXPECT_EQ(config->authority.file, "");
  EXPECT_EQ(config->certificate.data, "c");
  EXPECT_EQ(config->key.data, "k");
  EXPECT_EQ(config->token_file, directory_.path() + "/token");
}

TEST_F(KubeconfigTest, ReadsImpersonationAndPasswords) {
  const auto config = Load(Text("server: https://a",
                                "username: u, password: p, as: jane, as-uid: '7', "
                                "as-groups: [a, b], as-user-extra: {scopes: [x, y]}"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->username, "u");
  EXPECT_THAT(config->impersonation,
              ElementsAre("Impersonate-User: jane", "Impersonate-Uid: 7", "Impersonate-Group: a",
                          "Impersonate-Group: b", "Impersonate-Extra-scopes: x",
                          "Impersonate-Extra-scopes: y"));
}

TEST_F(KubeconfigTest, ReadsAPlugin) {
  const auto config = Load(
      Text("server: https://a",
           "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/get, args: [a, b], "
           "env: [{name: X, value: y}], installHint: get it, provideClusterInfo: true, "
           "interactiveMode: IfAvailable}"));
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_TRUE(config->exec.has_value());
  EXPECT_EQ(config->exec->command, directory_.path() + "/./bin/get");
  EXPECT_THAT(config->exec->arguments, ElementsAre("a", "b"));
  EXPECT_THAT(config->exec->environment, ElementsAre(Pair("X", "y")));
  EXPECT_TRUE(config->exec->provide_cluster_info);
}

TEST_F(KubeconfigTest, APluginIsNotAskedWhereThereAreCredentials) {
  const auto config = Load(Text("server: https://a", "token: x, exec: {command: c}"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_FALSE(config->exec.has_value());
}

TEST_F(KubeconfigTest, OfSeveralFilesTheFirstThatHasItCounts) {
  const std::string first =
      Write("current-context: here\nusers:\n- {name: u, user: {token: first}}\n", "1");
  const std::string second = Write(Text("server: https://a", "token: second"), "2");
  const auto config = LoadKubeconfig({first, directory_.path() + "/missing", second});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->token, "first");
}

TEST_F(KubeconfigTest, SaysFileLineKeyAndWhatWasExpected) {
  EXPECT_EQ(ClusterError("server: 'http://a'"),
            "config:6: clusters[0].cluster.server: \"http://a\" is not https, and credentials are "
            "sent over nothing else, expected https://HOST:PORT");
  EXPECT_EQ(ClusterError("certificate-authority: x"),
            "config:6: clusters[0].cluster.server: is missing, expected a text");
  EXPECT_EQ(ClusterError("server: https://a, certificate-authority-data: '%%%'"),
            "config:6: clusters[0].cluster.certificate-authority-data: expected base64");
  EXPECT_EQ(ClusterError("server: https://a, disable-compression: perhaps"),
            "config:6: clusters[0].cluster.disable-compression: expected true or false");
  EXPECT_THAT(ClusterError("server: https://a, insecure-skip-tls-verify: true"),
              HasSubstr("config:6: clusters[0].cluster.insecure-skip-tls-verify: true is refused"));
  EXPECT_EQ(UserError("client-certificate: x"),
            "config:10: users[0].user.client-key: is missing, expected with its other half");
  EXPECT_THAT(UserError("auth-provider: {name: gcp}"),
              HasSubstr("config:10: users[0].user.auth-provider: is no longer known"));
  EXPECT_EQ(UserError("exec: {apiVersion: client.authentication.k8s.io/v1}"),
            "config:10: users[0].user.exec.command: is missing, expected a text");
  EXPECT_EQ(UserError("exec: {command: c, apiVersion: v7}"),
            "config:10: users[0].user.exec.apiVersion: expected client.authentication.k8s.io/v1 or "
            "/v1beta1");
  EXPECT_EQ(UserError("as-groups: a"),
            "config:10: users[0].user.as-groups: expected a list of texts");
}

TEST_F(KubeconfigTest, SaysWhichNameDangles) {
  EXPECT_EQ(Error("contexts: []\n"),
            "config: current-context is missing, expected the name of a context");
  EXPECT_EQ(Error("current-context: here\n"), "config: contexts has no element named \"here\"");
  EXPECT_EQ(Error("current-context: here\ncontexts:\n- {name: here, context: {cluster: c}}\n"),
            "config: clusters has no element named \"c\"");
  EXPECT_EQ(Error("contexts: here\ncurrent-context: x"),
            "config:1: contexts: expected a list of maps");
}

TEST_F(KubeconfigTest, SurvivesWhatIsNoKubeconfig) {
  for (const char* text :
       {"", "[]", "hello", "{", "a: b: c", "\tx: y", "current-context: [x]", "\x01\x02"}) {
    EXPECT_FALSE(Load(text).ok()) << text;
  }
  EXPECT_THAT(Error("a: &a [*a]"), HasSubstr("config:1"));
  EXPECT_FALSE(LoadKubeconfig({directory_.path() + "/missing"}).ok());
  EXPECT_FALSE(LoadKubeconfig({directory_.path()}).ok());
}

TEST_F(KubeconfigTest, NoErrorHoldsASecret) {
  const std::string secret = kSecret;
  for (const std::string& user :
       {"token: [" + secret + "]", "client-key-data: '" + secret + "%', client-certificate: x",
        "password: {a: " + secret + "}", "token: " + secret + ", as-groups: " + secret,
        "exec: {command: c, env: [{name: X, value: [" + secret + "]}]}"}) {
    EXPECT_THAT(UserError(user), Not(HasSubstr(secret))) << user;
  }
}

class InClusterTest : public ::testing::Test {
 protected:
  ~InClusterTest() override {
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
  }
  void Set(const char* host, const char* port) {
    setenv("KUBERNETES_SERVICE_HOST", host, 1);
    setenv("KUBERNETES_SERVICE_PORT", port, 1);
  }
};

TEST_F(InClusterTest, TakesWhatAPodFinds) {
  Set("fd00::1", "443");
  const auto config = InClusterConfig("/secrets");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->server.ToString(), "https://[fd00::1]:443");
  EXPECT_EQ(config->token_file, "/secrets/token");
  EXPECT_EQ(config->authority.file, "/secrets/ca.crt");
}

TEST_F(InClusterTest, SaysWhatIsWrongWithTheEnvironment) {
  EXPECT_THAT(InClusterConfig().status().message(), HasSubstr("not set: this is no pod"));
  Set("10.96.0.1", "https");
  EXPECT_THAT(InClusterConfig().status().message(), HasSubstr("no valid port"));
}

}  // namespace
}  // namespace shunt
