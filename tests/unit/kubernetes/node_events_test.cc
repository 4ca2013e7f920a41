// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/node_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/kubernetes/fake_transport.h"
#include "tests/unit/kubernetes/source_fixture.h"
#include "userspace/sources/kubernetes/post_node_event.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;
using testing::WaitFor;
using Json = nlohmann::json;

NodeEvent Full(const std::string& note = "map shunt_frontends is full") {
  return {.reason = "MapFull", .action = "UpdateServices", .note = note};
}

class NodeEventsTest : public ::testing::Test {
 protected:
  void Pass(absl::Duration time) {
    now_ += time;
    events_.Tick();
  }
  void Record(NodeEvent event) {
    events_.Record(std::move(event));
    events_.Tick();
  }
  Json posted() const { return Json::parse(transport_.requests.back().body); }
  size_t requests() const { return transport_.requests.size(); }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'100) + absl::Milliseconds(250);
  FakeTransport transport_;
  int woken_ = 0;
  NodeEvents events_{{.node_name = "node-a",
                      .transport = transport_,
                      .now = [this] { return now_; },
                      .random = [] { return 0.5; },
                      .wake = [this] { ++woken_; }}};
};

TEST_F(NodeEventsTest, AnEventIsOneOfTheNodeAsKubectlDescribeLooksForIt) {
  Record(Full());
  EXPECT_EQ(woken_, 1);
  EXPECT_EQ(transport_.target(), "/apis/events.k8s.io/v1/namespaces/default/events");
  EXPECT_FALSE(transport_.requests.back().accepts_protobuf);
  EXPECT_EQ(posted(), Json::parse(R"({
    "apiVersion": "events.k8s.io/v1", "kind": "Event",
    "metadata": {"name": "node-a.shuntd-mapfull-2833333", "namespace": "default"},
    "eventTime": "2023-11-14T22:15:00.250000Z",
    "reportingController": "shuntd", "reportingInstance": "node-a",
    "regarding": {"apiVersion": "v1", "kind": "Node", "name": "node-a", "uid": "node-a"},
    "type": "Warning", "reason": "MapFull", "action": "UpdateServices",
    "note": "map shunt_frontends is full"})"));
  transport_.Answer(201, "{}");
  EXPECT_EQ(events_.status().posted, 1u);
  EXPECT_TRUE(events_.idle());
}

TEST_F(NodeEventsTest, AnObjectThatItIsAboutIsNamedToo) {
  NodeEvent event = Full();
  event.related = {.kind = Kind::kService, .name = {"shop", "web"}};
  event.is_warning = false;
  Record(event);
  EXPECT_EQ(posted()["related"],
            Json::parse(R"({"kind": "Service", "namespace": "shop", "name": "web"})"));
  EXPECT_EQ(posted()["type"], "Normal");
}

TEST_F(NodeEventsTest, ANoteOfAnyLengthAndContentIsPosted) {
  Record(Full(std::string(1023, 'x') + "\xc3\xa4 and more"));  // cut within a letter
  EXPECT_EQ(posted()["note"], std::string(1023, 'x'));
}

TEST_F(NodeEventsTest, OneReasonIsToldOnceInTenMinutesWhateverHappens) {
  for (int i = 0; i < 1000; ++i) {
    Record(Full());
    if (transport_.open()) transport_.Answer(201, "{}");
  }
  EXPECT_EQ(requests(), 1u);
  now_ += absl::Minutes(10);
  Record(Full("still"));
  EXPECT_EQ(requests(), 2u);
  EXPECT_EQ(posted()["note"], "still");
}

TEST_F(NodeEventsTest, AnotherReasonDoesNotWait) {
  Record(Full());
  Record({.reason = "Starting", .action = "StartShunt", .note = "", .is_warning = false});
  transport_.Answer(201, "{}");
  events_.Tick();
  EXPECT_EQ(posted()["reason"], "Starting");
}

TEST_F(NodeEventsTest, AServerThatIsAwayIsToldLaterWhenItHappened) {
  Record(Full());
  transport_.End(absl::UnavailableError("nobody answers"));
  Pass(absl::ZeroDuration());
  EXPECT_FALSE(transport_.open()) << "no server is hammered";
  for (const int code : {503, 429}) {
    Pass(absl::Minutes(1));
    ASSERT_TRUE(transport_.open());
    transport_.Answer(code, "");
  }
  Pass(absl::Minutes(1));
  EXPECT_EQ(posted()["eventTime"], "2023-11-14T22:15:00.250000Z");
  transport_.Answer(201, "{}");
  EXPECT_EQ(requests(), 4u);
  EXPECT_EQ(events_.NextTick(), absl::InfiniteFuture());
}

TEST_F(NodeEventsTest, WhatWaitsForADeadServerDoesNotGrow) {
  for (int i = 0; i < 100; ++i) {
    Record(Full(absl::StrCat("note ", i)));
    if (transport_.open()) transport_.End(absl::UnavailableError(""));
    now_ += absl::Minutes(10);
  }
  events_.Tick();
  EXPECT_EQ(posted()["note"], "note 99");
  transport_.Answer(201, "{}");
  EXPECT_TRUE(events_.idle());
}

TEST_F(NodeEventsTest, AServerThatWantsNoneIsNotAskedAgain) {
  Record(Full());
  transport_.Answer(403, R"({"kind":"Status","reason":"Forbidden","message":"no"})");
  EXPECT_EQ(events_.status().refused, 1u);
  Pass(absl::Minutes(5));
  EXPECT_EQ(requests(), 1u);
}

TEST_F(NodeEventsTest, WhatTheServerHasFromAnEarlierProcessIsTold) {
  Record(Full());
  transport_.Answer(409, R"({"kind":"Status","reason":"AlreadyExists"})");
  EXPECT_EQ(events_.status().posted, 1u);
  EXPECT_TRUE(events_.idle());
}

TEST_F(NodeEventsTest, FreshCredentialsAreAskedForWhereOursAreRefused) {
  Record(Full());
  transport_.Answer(401, "");
  EXPECT_EQ(transport_.unauthorized, 1);
  Pass(absl::Minutes(1));
  EXPECT_TRUE(transport_.open());
}

TEST_F(KubernetesSourceTest, TellsOfTheNodeOverTheConnectionThatItHas) {
  Start(server_->url());
  source_->Record(Full("first"));
  ASSERT_TRUE(WaitFor([&] { return source_->stats().events.posted == 1; }));
  EXPECT_THAT(cluster_.posted(), ::testing::ElementsAre(HasSubstr("\"note\":\"first\"")));
  EXPECT_GT((source_->stats()
                 .requests[{.host = server_->url().substr(8), .method = "POST", .code = 201}]),
            0u);
}

TEST_F(KubernetesSourceTest, EventsThatAreRefusedDisturbNothing) {
  cluster_.fault = [](TlsServer::Exchange& exchange) {
    if (!exchange.Asks("/events")) return false;
    exchange.Answer(403, R"({"kind":"Status","apiVersion":"v1","reason":"Forbidden"})");
    return true;
  };
  Start(server_->url());
  source_->Record(Full());
  ASSERT_TRUE(WaitFor([&] { return source_->stats().events.refused == 1; }));
  cluster_.Happens("services", "ADDED", ServiceOf("api"));
  EXPECT_TRUE(WaitFor([&] { return Knows("api"); }));
  EXPECT_EQ(source_->stats().error, "");
}

TEST_F(KubernetesSourceTest, AServerThatCannotWriteIsStillFollowed) {
  cluster_.fault = [](TlsServer::Exchange& exchange) {
    if (!exchange.Asks("/events")) return false;
    exchange.Answer(500, "etcdserver: mvcc: database space exceeded");
    return true;
  };
  FakeCluster other;
  const auto second = NewServer(other);
  Start(server_->url(), "token: one", {server_->url(), second->url()});
  source_->Record(Full());
  ASSERT_TRUE(WaitFor([&] {
    return source_->stats().requests.contains(
        {.host = server_->url().substr(8), .method = "POST", .code = 500});
  }));
  EXPECT_EQ(source_->stats().server, server_->url());
}

TEST_F(KubernetesSourceTest, LastWordsAreHeardByTheServerThatIsThere) {
  const auto options = Options(server_->url(), "token: one", {"127.0.0.1:1", server_->url()});
  const absl::Status told = PostNodeEvent(options, Full("the end"), absl::Seconds(20));
  EXPECT_TRUE(told.ok()) << told;
  EXPECT_THAT(cluster_.posted(), ::testing::ElementsAre(HasSubstr("\"note\":\"the end\"")));
}

TEST_F(KubernetesSourceTest, LastWordsToNobodyEndInTime) {
  cluster_.fault = [](TlsServer::Exchange& exchange) {
    exchange.WaitForClose();
    return true;
  };
  const absl::Time start = absl::Now();
  const auto options = Options(server_->url(), "token: one", {});
  EXPECT_FALSE(PostNodeEvent(options, Full(), absl::Milliseconds(200)).ok());
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

}  // namespace
}  // namespace shunt
