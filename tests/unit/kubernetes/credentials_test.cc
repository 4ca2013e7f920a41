// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/wait_for.h"
#include "tests/unit/kubernetes/certificates.h"
#include "tests/unit/manifests/temporary_directory.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CredentialsTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) { return (directory_ / name).string(); }

  // What is used after the next reading.
  Credentials Read(CredentialStore& store) {
    now_ += absl::Minutes(1);
    store.Tick(now_);
    const auto credentials = store.Get();
    EXPECT_TRUE(credentials.ok()) << credentials.status();
    return credentials.ok() ? **credentials : Credentials();
  }

  TemporaryDirectory directory_;
  TestAuthority authority_;
  absl::Time now_ = absl::Now();
};

TEST_F(CredentialsTest, SaysWhichFileIsMissingAndTakesItOnceItIsThere) {
  CredentialStore store({.token_file = Path("token")}, [] {});
  absl::Time next = store.Tick(now_);
  EXPECT_THAT(store.Get().status().message(), HasSubstr(Path("token") + ": cannot be read"));
  EXPECT_LE(next, now_ + absl::Seconds(1));
  directory_.Write("token", "abc\n");
  store.Tick(next);
  ASSERT_TRUE(store.Get().ok());
  EXPECT_EQ((*store.Get())->token, "abc");
}

TEST_F(CredentialsTest, TakesARotatedToken) {
  directory_.Write("token", "one");
  CredentialStore store({.token_file = Path("token")}, [] {});
  EXPECT_EQ(Read(store).token, "one");
  directory_.Replace("token", "two\n");
  store.Tick(now_ + absl::Seconds(59));
  EXPECT_EQ((*store.Get())->token, "one");
  EXPECT_EQ(Read(store).token, "two");
}

TEST_F(CredentialsTest, ReadsAtOnceWhatTheServerRefused) {
  directory_.Write("token", "one");
  CredentialStore store({.token_file = Path("token")}, [] {});
  EXPECT_EQ(Read(store).token, "one");
  directory_.Replace("token", "two");
  store.Expire();
  store.Tick(now_);
  EXPECT_EQ((*store.Get())->token, "two");
}

TEST_F(CredentialsTest, KeepsAnOldTokenWhileTheNewOneIsNone) {
  directory_.Write("token", "good");
  CredentialStore store({.token_file = Path("token")}, [] {});
  EXPECT_EQ(Read(store).token, "good");
  for (const std::string& wrong :
       {std::string(), std::string("\n"), std::string("a\x01\x02"), std::string(100'000, 'x')}) {
    directory_.Replace("token", wrong);
    EXPECT_EQ(Read(store).token, "good");
    EXPECT_FALSE(store.status().ok());
  }
  unlink(Path("token").c_str());
  EXPECT_EQ(Read(store).token, "good");
  directory_.Write("token", "better");
  EXPECT_EQ(Read(store).token, "better");
  EXPECT_TRUE(store.status().ok());
}

TEST_F(CredentialsTest, KeepsAnOldAuthorityWhileTheNewOneIsNone) {
  const std::string good = authority_.pem(), other = TestAuthority().pem();
  directory_.Write("ca.crt", good);
  CredentialStore store({.authority = {.file = Path("ca.crt")}}, [] {});
  EXPECT_EQ(Read(store).authority, good);
  for (const std::string& wrong :
       {std::string(), std::string("garbage"), good.substr(0, 200), good + other.substr(0, 200)}) {
    directory_.Replace("ca.crt", wrong);
    EXPECT_EQ(Read(store).authority, good);
    EXPECT_THAT(store.status().message(), HasSubstr("expected certificates in PEM"));
  }
  directory_.Replace("ca.crt", good + other);  // both, as while one is rotated
  EXPECT_EQ(Read(store).authority, good + other);
}

TEST_F(CredentialsTest, TakesACertificateOnlyTogetherWithItsKey) {
  const TestCertificate first = authority_.Issue("DNS:a"), second = authority_.Issue("DNS:b");
  directory_.Write("tls.crt", first.certificate);
  directory_.Write("tls.key", first.key);
  CredentialStore store(
      {.certificate = {.file = Path("tls.crt")}, .key = {.file = Path("tls.key")}}, [] {});
  EXPECT_EQ(Read(store).certificate, first.certificate);
  directory_.Replace("tls.crt", second.certificate);
  EXPECT_EQ(Read(store).certificate, first.certificate);
  EXPECT_THAT(store.status().message(), HasSubstr("the key is not that of the certificate"));
  directory_.Replace("tls.key", second.key);
  EXPECT_EQ(Read(store).certificate, second.certificate);
  EXPECT_EQ((*store.Get())->key, second.key);
}

// A plugin is a script.
class ExecPluginTest : public CredentialsTest {
 protected:
  ClientConfig Plugin(const std::string& script) {
    directory_.Replace("plugin", "#!/bin/sh\n" + script);
    chmod(Path("plugin").c_str(), 0700);
    return {.server = *ServerUrl::Parse("https://api.example:6443"),
            .exec = ExecConfig{.command = Path("plugin"),
                               .arguments = {"one argument"},
                               .environment = {{"OWN", "value"}},
                               .api_version = "client.authentication.k8s.io/v1",
                               .install_hint = "get it there",
                               .provide_cluster_info = true}};
  }
  static std::string Printing(const std::string& status,
                              const std::string& version = "client.authentication.k8s.io/v1") {
    return absl::StrCat("echo '{\"apiVersion\":\"", version,
                        "\",\"kind\":\"ExecCredential\",\"status\":", status, "}'\n");
  }
  absl::StatusOr<ExecCredential> Run(const std::string& script,
                                     absl::Duration limit = absl::Seconds(20)) {
    return RunExecPlugin(Plugin(script), limit, stop_);
  }
  std::string Error(const std::string& script) {
    return std::string(Run(script).status().message());
  }

  std::atomic<bool> stop_ = false;
};

TEST_F(ExecPluginTest, GivesWhatItPrints) {
  const auto credential =
      Run(Printing(R"({"token":"abc","expirationTimestamp":"2030-01-01T00:00:00Z"})"));
  ASSERT_TRUE(credential.ok()) << credential.status();
  EXPECT_EQ(credential->token, "abc");
  EXPECT_EQ(credential->expires, absl::FromCivil(absl::CivilDay(2030, 1, 1), absl::UTCTimeZone()));
}

TEST_F(ExecPluginTest, IsToldWhatItAsksFor) {
  const auto credential =
      Run(absl::StrCat("[ \"$1 $OWN\" = 'one argument value' ] || exit 3\n",
                       "case $KUBERNETES_EXEC_INFO in "
                       "*'https://api.example:6443'*'interactive\":false'*) ;; *) exit 4;; esac\n",
                       Printing(R"({"token":"abc"})")));
  EXPECT_TRUE(credential.ok()) << credential.status();
}

TEST_F(ExecPluginTest, IsEndedWhenItHangs) {
  const auto credential = Run("sleep 1000", absl::Milliseconds(300));
  EXPECT_THAT(credential.status().message(), HasSubstr("has not finished within 300ms"));
}

TEST_F(ExecPluginTest, IsEndedWhenTheAgentEnds) {
  stop_ = true;
  EXPECT_FALSE(Run("sleep 1000").ok());
}

TEST_F(ExecPluginTest, SaysWhatIsWrongAndNothingOfWhatItPrinted) {
  EXPECT_THAT(Error("echo secret; echo secret >&2; exit 7"), HasSubstr("exits with 7"));
  EXPECT_THAT(Error("echo secret"), HasSubstr("something else than an ExecCredential"));
  EXPECT_THAT(Error("cat /dev/zero"), HasSubstr("more than 1 MiB"));
  EXPECT_THAT(Error(Printing(R"({"token":"secret"})", "client.authentication.k8s.io/v1beta1")),
              HasSubstr("answers with apiVersion"));
  EXPECT_THAT(Error(Printing(R"({"clientKeyData":"secret"})")), HasSubstr("expected both"));
  EXPECT_THAT(Error(Printing("{}")), HasSubstr("neither a token nor a certificate"));
  EXPECT_THAT(Error(Printing(R"({"token":"secret","expirationTimestamp":"soon"})")),
              HasSubstr("is no time"));
  for (const char* script : {"echo secret; exit 1", "echo secret"}) {
    EXPECT_THAT(Error(script), Not(HasSubstr("secret")));
  }
}

TEST_F(ExecPluginTest, AMissingOneTellsWhereToGetIt) {
  ClientConfig config = Plugin("");
  config.exec->command = Path("missing");
  EXPECT_THAT(RunExecPlugin(config, absl::Seconds(1), stop_).status().message(),
              HasSubstr("get it there"));
}

TEST_F(ExecPluginTest, IsAskedAgainBeforeItsCredentialsExpire) {
  const std::string expires =
      absl::FormatTime(absl::RFC3339_sec, now_ + absl::Hours(1), absl::UTCTimeZone());
  std::atomic<int> finished = 0;
  CredentialStore store(
      Plugin(
          absl::StrCat("echo x >> ", Path("runs"), "\n",
                       Printing(absl::StrCat(R"({"token":"t'$(wc -l < )", Path("runs"),
                                             R"()'","expirationTimestamp":")", expires, R"("})")))),
      [&] { ++finished; });
  const auto run = [&](int count) {
    store.Tick(now_);
    ASSERT_TRUE(testing::WaitFor([&] { return finished == count; }));
    store.Tick(now_);
  };
  run(1);
  ASSERT_TRUE(store.Get().ok()) << store.Get().status();
  EXPECT_EQ((*store.Get())->token, "t1");
  now_ += absl::Minutes(50);
  store.Tick(now_);
  EXPECT_EQ(finished, 1);
  now_ += absl::Minutes(10);
  run(2);
  EXPECT_EQ((*store.Get())->token, "t2");
  now_ += absl::Minutes(1);
  store.Expire();  // refused though it has not expired
  run(3);
  EXPECT_EQ((*store.Get())->token, "t3");
}

}  // namespace
}  // namespace shunt
