// SPDX-License-Identifier: Apache-2.0
//
// Servers whose past is another one than what is known, and those that come and go.
#include "absl/strings/str_replace.h"
#include "tests/unit/kubernetes/reflector_fixture.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(absl::StrCat("s", i));
  return names;
}

TEST_F(ReflectorTest, LooksASecondTimeBeforeItDeletesMostOfAllServices) {
  StreamInitially(Names(20), 7);
  transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
  Pass(absl::Seconds(2));
  StreamInitially({}, 30);
  EXPECT_EQ(known(), 20u);
  Pass(absl::ZeroDuration());
  EXPECT_TRUE(AsksForList() && Asks("limit=500"));  // the newest state
  transport_.Answer(200, ListJson({}, 31));
  EXPECT_EQ(known(), 0u);
  EXPECT_EQ(status().error, "");
}

TEST_F(ReflectorTest, KeepsAllWhereTheSecondLookShowsThem) {
  StreamInitially(Names(20), 7);
  transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
  Pass(absl::Seconds(2));
  StreamInitially({"s1"}, 30);
  Pass(absl::ZeroDuration());
  std::vector<std::string> all;
  for (const std::string& name : Names(20)) all.push_back(ServiceJson(name));
  transport_.Answer(200, ListJson(all, 31));
  EXPECT_EQ(known(), 20u);
}

TEST_F(ReflectorTest, AFewServicesMayGoAtOnce) {
  StreamInitially(Names(10), 7);
  transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
  Pass(absl::Seconds(2));
  StreamInitially({}, 30);
  EXPECT_EQ(known(), 0u);
}

TEST_F(ReflectorTest, ADoubtIsCounted) {
  StreamInitially(Names(20), 7);
  transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
  Pass(absl::Seconds(2));
  StreamInitially({}, 30);
  EXPECT_EQ(status().doubted, 1u);
}

TEST(UndoubtingReflectorTest, WhoSwitchedTheGuardOffGetsWhatTheFirstListSays) {
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  Store store("node-a", [] {});
  FakeTransport transport;
  ResourceTable table(Kind::kService, store, [](const ObjectChange&) {});
  Reflector reflector({.resource = {.kind = Kind::kService, .api_version = "v1", .path = "/s"},
                       .transport = transport,
                       .table = table,
                       .now = [&now] { return now; },
                       .random = [] { return 0.5; },
                       .doubts_lists = false});
  reflector.Tick();
  transport.Head(200);
  for (const std::string& name : Names(20)) transport.Send(EventJson("ADDED", ServiceJson(name)));
  transport.Send(BookmarkJson(7, true) + EventJson("ERROR", StatusJson(410, "Expired")));
  EXPECT_EQ(store.sizes().services, 20u);
  now += absl::Seconds(2);
  reflector.Tick();
  transport.Head(200);
  transport.Send(BookmarkJson(30, true));
  EXPECT_EQ(store.sizes().services, 0u);
  EXPECT_EQ(reflector.status().doubted, 0u);
}

// As after a failover to a server whose cache is behind.
TEST_F(ReflectorTest, AWatchThatGoesBackInTimeChangesNothingAndIsFollowedByAList) {
  StreamInitially({"web"}, 7);
  transport_.Send(EventJson("ADDED", ServiceJson("new", 9)) +
                  EventJson("DELETED", ServiceJson("web", 8)));
  EXPECT_FALSE(transport_.open());
  EXPECT_TRUE(Knows("web") && Knows("new"));
  EXPECT_THAT(status().error, HasSubstr("went back in time, from \"9\" to \"8\""));
  Pass(absl::Seconds(2));
  EXPECT_TRUE(Asks("sendInitialEvents=true") && Asks("resourceVersion=9"));
}

TEST_F(ReflectorTest, AListOlderThanWhatIsKnownIsNotBelievedButTheNewestStateIs) {
  StreamInitially({"web"}, 100);
  transport_.Send(EventJson("ERROR", StatusJson(410, "Expired")));
  Pass(absl::Seconds(2));
  StreamInitially({"old"}, 50);
  EXPECT_TRUE(Knows("web") && !Knows("old"));
  EXPECT_THAT(status().error, HasSubstr("older than what is known"));
  Pass(absl::Seconds(4));
  ASSERT_TRUE(AsksForList() && Asks("limit=500") && !Asks("resourceVersion="));
  transport_.Answer(200, ListJson({ServiceJson("restored")}, 60));
  EXPECT_TRUE(Knows("restored") && !Knows("web"));
  Pass(absl::ZeroDuration());
  EXPECT_TRUE(AsksForWatch() && Asks("resourceVersion=60"));
}

TEST_F(ReflectorTest, VersionsThatAreNoNumbersAreNotCompared) {
  StreamInitially({"web"}, 7);
  transport_.Send(
      EventJson("ADDED", absl::StrReplaceAll(ServiceJson("new", 9), {{"\"9\"", "\"abc\""}})));
  transport_.Send(EventJson("ADDED", ServiceJson("newer", 2)));
  EXPECT_TRUE(transport_.open() && Knows("new") && Knows("newer"));
}

// A rolling restart of API servers must not leave the node behind for a minute.
TEST_F(ReflectorTest, AWatchThatWasGoodForHalfAMinuteLeavesNoLongWaitForTheNextOutage) {
  StreamInitially({"web"}, 7);
  for (int i = 0; i < 8; ++i) {  // an outage
    transport_.End(absl::UnavailableError("connection refused"));
    Pass(absl::Minutes(1));
    ASSERT_TRUE(transport_.open());
  }
  transport_.Head(200);
  now_ += absl::Seconds(31);
  transport_.End(absl::UnavailableError("connection reset"));
  EXPECT_LE(reflector_.NextTick() - now_, absl::Milliseconds(1600));
}

TEST_F(ReflectorTest, AWatchThatWasGoodForAMomentOnlyKeepsTheWaitLong) {
  StreamInitially({"web"}, 7);
  for (int i = 0; i < 8; ++i) {
    transport_.End(absl::UnavailableError("connection refused"));
    Pass(absl::Minutes(1));
    transport_.Head(200);
    now_ += absl::Seconds(5);
  }
  transport_.End(absl::UnavailableError("connection reset"));
  EXPECT_GE(reflector_.NextTick() - now_, absl::Seconds(30));
}

}  // namespace
}  // namespace shunt
