// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "tests/unit/kubernetes/source_fixture.h"

namespace shunt {
namespace {

using testing::WaitFor;

TEST_F(KubernetesSourceTest, FollowsServicesSlicesAndTheNode) {
  Start(server_->url());
  ASSERT_TRUE(WaitFor([&] { return store_.synced(); }));
  EXPECT_TRUE(Knows("web"));
  cluster_.Happens("services", "ADDED", ServiceOf("api"));
  EXPECT_TRUE(WaitFor([&] { return Knows("api"); }));
  cluster_.Happens("services", "DELETED", ServiceOf("web"));
  EXPECT_TRUE(WaitFor([&] { return !Knows("web"); }));
  EXPECT_TRUE(WaitFor([&] {
    return absl::StrContains(source_->stats().Describe(absl::Now()), server_->url() + ", heard ");
  }));
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

TEST_F(KubernetesSourceTest, WhatNeedsNoNodeIsThereWhileTheNodeCannotBeListed) {
  std::atomic<bool> node_is_late = true;
  cluster_.fault = [&](TlsServer::Exchange& exchange) {
    if (!node_is_late || !exchange.Asks("/nodes?")) return false;
    exchange.Answer(500, "");
    return true;
  };
  Start(server_->url());
  ASSERT_TRUE(WaitFor([&] { return store_.services_listed(); }));
  EXPECT_FALSE(store_.synced());
  EXPECT_FALSE(store_.Take().services.empty());
  node_is_late = false;
  EXPECT_TRUE(WaitFor([&] { return store_.synced(); }));
}

TEST_F(KubernetesSourceTest, ANodeOfWhichNothingIsHeardIsNotWaitedForForever) {
  cluster_.fault = [](TlsServer::Exchange& exchange) {
    if (!exchange.Asks("/nodes?")) return false;
    exchange.WaitForClose();
    return true;
  };
  Start(server_->url());
  EXPECT_TRUE(WaitFor([&] { return store_.services_listed(); }));
  EXPECT_FALSE(store_.synced());
}

TEST_F(KubernetesSourceTest, LivesWithoutANodeThatItMayNotSee) {
  cluster_.fault = [](TlsServer::Exchange& exchange) {
    if (!exchange.Asks("/nodes?")) return false;
    exchange.Answer(403, "");
    return true;
  };
  Start(server_->url());
  EXPECT_TRUE(WaitFor([&] { return store_.synced(); }));
  EXPECT_TRUE(WaitFor([&] {
    return absl::StrContains(source_->stats().Describe(absl::Now()), "nodes: HTTP 403");
  }));
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
  EXPECT_GT((source_->stats().requests[{.host = gone.substr(8), .method = "GET"}]), 0u);
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
