// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/kubernetes/reflector_fixture.h"
#include "tests/unit/kubernetes/wire.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;

TEST_F(ReflectorTest, TellsWhatIsThereOnceTheBookmarkSaysThatItIsAll) {
  reflector_.Tick();
  EXPECT_EQ(transport_.target(),
            "/api/v1/services?watch=1&allowWatchBookmarks=true&timeoutSeconds=450"
            "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
            "&labelSelector=%21service.kubernetes.io%2Fservice-proxy-name"
            "&fieldSelector=spec.clusterIP%21%3DNone");
  transport_.Head(200);
  transport_.Send(EventJson("ADDED", ServiceJson("web")));
  EXPECT_FALSE(Knows("web"));
  EXPECT_FALSE(status().listed);
  transport_.Send(BookmarkJson(7, true));
  EXPECT_TRUE(Knows("web"));
  EXPECT_TRUE(status().listed);
  EXPECT_TRUE(status().following);
}

TEST_F(ReflectorTest, AppliesWhatHappensAtOnce) {
  StreamInitially({"web", "api"}, 7);
  transport_.Send(EventJson("ADDED", ServiceJson("new", 8)) +
                  EventJson("DELETED", ServiceJson("api", 9)));
  EXPECT_TRUE(Knows("new"));
  EXPECT_FALSE(Knows("api"));
}

TEST_F(ReflectorTest, SpeaksProtobufWithWhoSpeaksIt) {
  reflector_.Tick();
  transport_.Head(200, "application/vnd.kubernetes.protobuf;stream=watch");
  kubernetes::Service web;
  web.mutable_metadata()->set_name("web");
  web.mutable_metadata()->set_namespace_("shop");
  web.mutable_spec()->set_clusterip("10.96.0.10");
  kubernetes::Service bookmark;
  bookmark.mutable_metadata()->set_resourceversion("7");
  auto& end = *bookmark.mutable_metadata()->add_annotations();
  end.set_key("k8s.io/initial-events-end");
  end.set_value("true");
  const std::string stream =
      Framed(EventOf("ADDED", Enveloped("v1", "Service", web.SerializeAsString()))) +
      Framed(EventOf("BOOKMARK", Enveloped("v1", "Service", bookmark.SerializeAsString())));
  for (const char byte : stream) transport_.Send(std::string_view(&byte, 1));
  EXPECT_TRUE(Knows("web"));
}

TEST_F(ReflectorTest, GoesOnWhereItWasWhenAWatchEndsInTime) {
  StreamInitially({"web"}, 7);
  transport_.Send(EventJson("ADDED", ServiceJson("api", 12)));
  now_ += absl::Minutes(6);
  transport_.End();
  Pass(absl::ZeroDuration());
  EXPECT_TRUE(AsksForWatch());
  EXPECT_TRUE(Asks("resourceVersion=12"));
  EXPECT_EQ(known(), 2u);
}

TEST_F(ReflectorTest, GoesOnAfterTheLastBookmark) {
  StreamInitially({"web"}, 7);
  transport_.Send(BookmarkJson(20));
  now_ += absl::Minutes(6);
  transport_.End(absl::UnavailableError("connection reset"));
  Pass(absl::Seconds(2));
  EXPECT_TRUE(AsksForWatch());
  EXPECT_TRUE(Asks("resourceVersion=20"));
}

TEST_F(ReflectorTest, SurvivesABookmarkWithoutAVersion) {
  StreamInitially({"web"}, 7);
  transport_.Send(
      R"({"type":"BOOKMARK","object":{"kind":"Service","apiVersion":"v1","metadata":{}}})");
  transport_.End(absl::UnavailableError("connection reset"));
  Pass(absl::Seconds(2));
  EXPECT_TRUE(Asks("resourceVersion=7"));
}

TEST_F(ReflectorTest, KeepsEverythingForAnHourWithoutAServer) {
  StreamInitially({"web", "api"}, 7);
  const absl::Time end = now_ + absl::Hours(1);
  while (now_ < end) {
    if (transport_.open()) transport_.End(absl::UnavailableError("connection refused"));
    Pass(absl::Minutes(2));
  }
  EXPECT_EQ(known(), 2u);
  EXPECT_TRUE(AsksForWatch());
  EXPECT_TRUE(Asks("resourceVersion=7"));
  EXPECT_THAT(status().error, HasSubstr("connection refused"));
  // With a jitter of one half a try each 45 s.
  EXPECT_LT(transport_.requests.size(), 90u);
}

TEST_F(ReflectorTest, DeletesAfterARelistWhatWasDeletedWhileNobodyWatched) {
  StreamInitially({"web", "api", "old"}, 7);
  transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
  Pass(absl::Seconds(2));
  EXPECT_TRUE(Asks("resourceVersion=7"));  // no older than what is known
  transport_.Head(200);
  transport_.Send(EventJson("ADDED", ServiceJson("web")) + EventJson("ADDED", ServiceJson("new")));
  EXPECT_EQ(known(), 3u);
  transport_.Send(BookmarkJson(30, true));
  EXPECT_TRUE(Knows("new"));
  EXPECT_EQ(known(), 2u);
}

TEST_F(ReflectorTest, ListsAtOnceAfterAnExpiredWatchButNotAgainAndAgain) {
  StreamInitially({"web"}, 7);
  now_ += absl::Minutes(1);
  transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
  Pass(absl::ZeroDuration());
  EXPECT_TRUE(transport_.open());
  StreamInitially({"web"}, 8);
  transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
  Pass(absl::ZeroDuration());
  EXPECT_FALSE(transport_.open());
}

TEST_F(ReflectorTest, AsksForTheNewestStateWhereWhatItKnowsIsExpired) {
  StreamInitially({"web"}, 7);
  transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
  Pass(absl::Seconds(2));
  transport_.Answer(410, StatusJson(410, "Expired"));
  Pass(absl::Seconds(4));
  EXPECT_TRUE(Asks("sendInitialEvents=true"));
  EXPECT_FALSE(Asks("resourceVersion="));
}

TEST_F(ReflectorTest, WaitsAndAsksForTheNewestStateWhereTheVersionIsTooLarge) {
  StreamInitially({"web"}, 7000);
  transport_.End(absl::UnavailableError("connection reset"));
  Pass(absl::Seconds(2));
  transport_.Answer(504, StatusJson(504, "Timeout", kTooLarge));
  EXPECT_FALSE(transport_.open());
  Pass(absl::Seconds(10));
  EXPECT_TRUE(Asks("sendInitialEvents=true"));
  EXPECT_FALSE(Asks("resourceVersion="));
  StreamInitially({"web", "restored"}, 12);  // an older version than the one that was known
  EXPECT_TRUE(Knows("restored"));
}

TEST_F(ReflectorTest, NoticesAWatchThatStaysSilentAtAVersionFromTheFuture) {
  StreamInitially({"web", "gone"}, 7000);
  now_ += absl::Minutes(6);
  transport_.End();
  Pass(absl::ZeroDuration());
  transport_.Head(200);  // accepted, and silent for ever
  const absl::Time restored = now_;
  PassSilently(absl::Seconds(149));
  EXPECT_EQ(transport_.cancelled, 0);
  PassSilently(absl::Seconds(2));
  EXPECT_EQ(transport_.cancelled, 1);
  Pass(absl::ZeroDuration());
  EXPECT_TRUE(Asks("resourceVersion=7000"));
  transport_.Answer(504, StatusJson(504, "Timeout", kTooLarge));
  Pass(absl::Seconds(10));
  StreamInitially({"web"}, 12);
  EXPECT_FALSE(Knows("gone"));
  EXPECT_LT(now_ - restored, absl::Seconds(180));
}

TEST_F(ReflectorTest, BookmarksKeepAQuietWatchAlive) {
  StreamInitially({"web"}, 7);
  for (int i = 0; i < 5; ++i) {
    PassSilently(absl::Seconds(61));
    transport_.Send(BookmarkJson(8 + i));
  }
  EXPECT_EQ(transport_.cancelled, 0);
}

TEST_F(ReflectorTest, ListsWhereTheServerRefusesToSendInitialEvents) {
  for (const int code : {400, 422, 500}) {
    reflector_.Tick();
    if (Asks("sendInitialEvents")) {
      transport_.Answer(code, StatusJson(code, "Invalid"));
      Pass(absl::ZeroDuration());
    }
    ASSERT_TRUE(AsksForList()) << code;
    EXPECT_TRUE(Asks("resourceVersion=0") || Asks("resourceVersion=7")) << transport_.target();
    transport_.Answer(200, ListJson({ServiceJson("web")}, 7));
    Pass(absl::ZeroDuration());
    ASSERT_TRUE(AsksForWatch());
    EXPECT_TRUE(Asks("resourceVersion=7"));
    transport_.Head(200);
    transport_.Send(EventJson("ERROR", StatusJson(410, "Gone")));
    Pass(absl::Seconds(30));
  }
}

TEST_F(ReflectorTest, ListsWhereTheRefusalComesInsideTheStream) {
  reflector_.Tick();
  transport_.Head(200);
  transport_.Send(EventJson("ERROR", StatusJson(500, "InternalError")));
  Pass(absl::ZeroDuration());
  EXPECT_TRUE(AsksForList());
}

TEST_F(ReflectorTest, ListsWhereTheInitialEventsNeverEnd) {
  reflector_.Tick();
  transport_.Head(200);
  transport_.Send(EventJson("ADDED", ServiceJson("web")));
  PassSilently(absl::Seconds(61));
  Pass(absl::Seconds(2));
  EXPECT_TRUE(AsksForList());
  EXPECT_EQ(known(), 0u);
}

TEST_F(ReflectorTest, AsksAgainInTheSameWayWhereThereAreTooManyRequests) {
  reflector_.Tick();
  const std::string first = transport_.target();
  transport_.Answer(429, StatusJson(429, "TooManyRequests"), 20);
  Pass(absl::Seconds(19));
  EXPECT_FALSE(transport_.open());
  Pass(absl::Seconds(2));
  EXPECT_TRUE(transport_.open());
  EXPECT_EQ(transport_.target(), first);
}

TEST_F(ReflectorTest, NoServerSendsItToSleepForADay) {
  reflector_.Tick();
  transport_.Answer(429, StatusJson(429, "TooManyRequests"), 86'400);
  Pass(absl::Minutes(3));
  EXPECT_TRUE(transport_.open());
}

TEST_F(ReflectorTest, WaitsWithoutAListWhereNobodyAnswers) {
  reflector_.Tick();
  transport_.End(absl::UnavailableError("connection refused"));
  Pass(absl::Milliseconds(700));
  EXPECT_FALSE(transport_.open());
  Pass(absl::Seconds(1));
  EXPECT_TRUE(Asks("sendInitialEvents=true"));
}

TEST_F(ReflectorTest, WantsFreshCredentialsWhereTheseAreRefused) {
  reflector_.Tick();
  transport_.Answer(401, StatusJson(401, "Unauthorized"));
  EXPECT_EQ(transport_.unauthorized, 1);
  EXPECT_FALSE(transport_.open());
  Pass(absl::Seconds(2));
  EXPECT_TRUE(transport_.open());
}

TEST_F(ReflectorTest, KeepsWhatItHasWhereItMayNoLongerLook) {
  StreamInitially({"web"}, 7);
  transport_.End(absl::UnavailableError("connection reset"));
  for (int i = 0; i < 8; ++i) {
    Pass(absl::Seconds(60));
    transport_.Answer(403, StatusJson(403, "Forbidden"));
  }
  Pass(absl::Seconds(29));
  EXPECT_FALSE(transport_.open());
  EXPECT_TRUE(Knows("web"));
  EXPECT_THAT(status().error, HasSubstr("403 Forbidden"));
  Pass(absl::Seconds(31));
  EXPECT_TRUE(transport_.open());
}

TEST_F(ReflectorTest, AServerThatForbidsWhileItStartsIsAskedAgainSoon) {
  StreamInitially({"web"}, 7);
  transport_.End(absl::UnavailableError("connection reset"));
  Pass(absl::Seconds(2));
  transport_.Answer(403, StatusJson(403, "Forbidden"));
  EXPECT_FALSE(transport_.open());
  Pass(absl::Seconds(4));
  EXPECT_TRUE(transport_.open());
}

TEST_F(ReflectorTest, ANodeThatMayNotBeSeenCountsAsListed) {
  reflector_.CountRefusalAsListed();
  reflector_.Tick();
  transport_.Answer(403, StatusJson(403, "Forbidden"));
  EXPECT_TRUE(status().listed);
}

TEST_F(ReflectorTest, LeavesOutASelectorThatTheServerDoesNotKnow) {
  reflector_.Tick();
  transport_.Answer(400, StatusJson(400, "BadRequest"));
  Pass(absl::ZeroDuration());
  EXPECT_TRUE(AsksForList());
  EXPECT_TRUE(Asks("fieldSelector"));
  transport_.Answer(400, StatusJson(400, "BadRequest"));
  Pass(absl::ZeroDuration());
  EXPECT_FALSE(Asks("fieldSelector"));
  EXPECT_TRUE(Asks("labelSelector"));
  transport_.Answer(200, ListJson({ServiceJson("web")}, 7));
  EXPECT_TRUE(Knows("web"));
}

TEST_F(ReflectorTest, TakesJsonWhereTheServerHasNothingElse) {
  reflector_.Tick();
  EXPECT_TRUE(transport_.requests.back().accepts_protobuf);
  transport_.Answer(406, "");
  Pass(absl::ZeroDuration());
  EXPECT_FALSE(transport_.requests.back().accepts_protobuf);
}

TEST_F(ReflectorTest, DoesNotHammerAServerThatEndsEachWatchAtOnce) {
  StreamInitially({"web"}, 7);
  const size_t before = transport_.requests.size();
  const absl::Time start = now_;
  while (now_ - start < absl::Minutes(10)) {
    if (transport_.open()) {
      transport_.Head(200);
      transport_.End();
    }
    Pass(absl::Minutes(2));
  }
  EXPECT_LT(transport_.requests.size() - before, 20u);
  EXPECT_EQ(known(), 1u);
}

TEST_F(ReflectorTest, AWatchThatEndsWithinAnEventGoesOnAfterTheLastWholeOne) {
  StreamInitially({"web"}, 7);
  transport_.Send(EventJson("ADDED", ServiceJson("api", 8)) + R"({"type":"ADDED","obj)");
  now_ += absl::Minutes(1);
  transport_.End();
  Pass(absl::Seconds(2));
  EXPECT_TRUE(AsksForWatch());
  EXPECT_TRUE(Asks("resourceVersion=8"));
}

TEST_F(ReflectorTest, ListsAfterAnEventThatCannotBeReadAndKeepsThoseBeforeIt) {
  StreamInitially({"web"}, 7);
  transport_.Send(EventJson("ADDED", ServiceJson("api", 8)) +
                  EventJson("FOO", ServiceJson("b", 9)));
  EXPECT_FALSE(transport_.open());
  EXPECT_TRUE(Knows("api"));
  Pass(absl::Seconds(2));
  EXPECT_TRUE(Asks("sendInitialEvents=true"));  // the same event would come again
}

TEST_F(ReflectorTest, TakesALoginPageForNoList) {
  StreamInitially({"web"}, 7);
  transport_.End(absl::UnavailableError("connection reset"));
  Pass(absl::Seconds(2));
  transport_.Head(200, "text/html");
  transport_.Send("<html>");
  EXPECT_FALSE(transport_.open());
  EXPECT_TRUE(Knows("web"));
  EXPECT_THAT(status().error, HasSubstr("does not look like an API server"));
}

TEST_F(ReflectorTest, DoesNotFollowARedirect) {
  reflector_.Tick();
  transport_.Answer(302, "");
  Pass(absl::ZeroDuration());
  transport_.Answer(302, "");
  EXPECT_THAT(status().error, HasSubstr("302"));
}

// A store in which deletions would show that half a list was taken for a whole.
class PagedListTest : public ReflectorTest {
 protected:
  // The newest state, page by page.
  void AskForPages() {
    StreamInitially({"web", "api"}, 7);
    transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
    Pass(absl::Seconds(2));
    transport_.Answer(504, StatusJson(504, "Timeout", kTooLarge));
    Pass(absl::Seconds(4));
    transport_.Answer(422, StatusJson(422, "Invalid"));
    Pass(absl::ZeroDuration());
    ASSERT_TRUE(AsksForList() && Asks("limit=500") && !Asks("resourceVersion="));
  }
};

TEST_F(PagedListTest, TakesAllPagesForOneList) {
  AskForPages();
  transport_.Answer(200, ListJson({ServiceJson("web")}, 20, "t/1"));
  Pass(absl::ZeroDuration());
  EXPECT_TRUE(Asks("continue=t%2F1"));
  EXPECT_TRUE(Knows("api"));
  transport_.Answer(200, ListJson({ServiceJson("new")}, 20));
  EXPECT_TRUE(Knows("web") && Knows("new"));
  EXPECT_FALSE(Knows("api"));
}

TEST_F(PagedListTest, ListsWithoutPagesWhereTheyExpire) {
  AskForPages();
  transport_.Answer(200, ListJson({ServiceJson("web")}, 20, "t1"));
  Pass(absl::ZeroDuration());
  transport_.Answer(410, StatusJson(410, "Expired"));
  Pass(absl::Seconds(10));
  transport_.Answer(422, StatusJson(422, "Invalid"));  // still no WatchList
  Pass(absl::ZeroDuration());
  EXPECT_TRUE(AsksForList());
  EXPECT_FALSE(Asks("limit="));
  EXPECT_FALSE(Asks("continue="));
  transport_.Answer(200, ListJson({ServiceJson("web"), ServiceJson("api")}, 20));
  EXPECT_EQ(known(), 2u);
}

TEST_F(PagedListTest, APageThatLeadsToItselfIsNoList) {
  AskForPages();
  transport_.Answer(200, ListJson({ServiceJson("web")}, 20, "t1"));
  Pass(absl::ZeroDuration());
  transport_.Answer(200, ListJson({ServiceJson("web")}, 20, "t1"));
  EXPECT_THAT(status().error, HasSubstr("a list without end"));
  EXPECT_EQ(known(), 2u);
}

TEST_F(PagedListTest, EndsAListOfEndlessPages) {
  AskForPages();
  for (int page = 0; page < 5000 && transport_.open(); ++page) {
    transport_.Answer(200, ListJson({}, 20, absl::StrCat("t", page)));
    Pass(absl::ZeroDuration());
  }
  EXPECT_FALSE(transport_.open());
  EXPECT_EQ(known(), 2u);
}

TEST_F(ReflectorTest, OfAnObjectThatIsListedTwiceTheLastCounts) {
  reflector_.Tick();
  transport_.Head(200);
  transport_.Send(EventJson("ADDED", ServiceJson("web")) +
                  EventJson("DELETED", ServiceJson("web")) +
                  EventJson("ADDED", ServiceJson("api")) + BookmarkJson(7, true));
  EXPECT_FALSE(Knows("web"));
  EXPECT_TRUE(Knows("api"));
}

TEST_F(ReflectorTest, AnObjectThatBecomesUnusableStaysAsItWas) {
  StreamInitially({"web"}, 7);
  transport_.Send(EventJson("MODIFIED",
                            R"({"kind":"Service","apiVersion":"v1","metadata":)"
                            R"({"name":"web","namespace":"shop","resourceVersion":"8"}})"));
  EXPECT_TRUE(Knows("web"));
  EXPECT_EQ(store_.problems().size(), 1u);
  transport_.Send(EventJson("DELETED", ServiceJson("web", 9)));
  EXPECT_FALSE(Knows("web"));
  EXPECT_EQ(store_.problems().size(), 0u);
}

TEST_F(ReflectorTest, SaysWhatKindOfObjectItCouldNotUse) {
  StreamInitially({}, 7);
  transport_.Send(
      EventJson("ADDED", R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}})"));
  ASSERT_EQ(store_.problems().size(), 1u);
  EXPECT_THAT(store_.problems()[0].message, HasSubstr("\"Pod\" is ignored"));
  EXPECT_TRUE(transport_.open());
}

TEST_F(ReflectorTest, ABookmarkOfAWatchEndsNoInitialEvents) {
  StreamInitially({"web"}, 7);
  transport_.Send(BookmarkJson(9, true));
  EXPECT_TRUE(Knows("web"));
  EXPECT_TRUE(transport_.open());
}

}  // namespace
}  // namespace shunt
