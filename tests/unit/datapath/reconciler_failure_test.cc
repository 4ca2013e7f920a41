// SPDX-License-Identifier: Apache-2.0
//
// What traffic sees while writes into the maps fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/datapath/reader_model.h"
#include "tests/unit/datapath/states.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/state/dump.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The world that a test runs in: maps, readers, one agent.
struct World {
  explicit World(const MemoryMapStore::Sizes& sizes = {}) : store(sizes) {
    EXPECT_TRUE(reconciler.Adopt().ok());
    model.Settle({});
  }

  Reconciler::Result Apply(const StateChanges& changes, const DatapathState& state) {
    model.Allow(state);
    return reconciler.Apply(changes);
  }
  Reconciler::Result Apply(const DatapathState& state) { return Apply(All(state), state); }

  // Everything is as `state` says, and nothing is left of what was before.
  void ExpectArrived(const DatapathState& state) {
    model.Settle(state);
    EXPECT_TRUE(Same(StateFromMaps(store).value(), Visible(state)))
        << Dump(StateFromMaps(store).value()) << "but wanted is\n"
        << Dump(state);
    EXPECT_EQ(reconciler.Apply(All(state)).writes, 0u);
  }

  MemoryMapStore store;
  ReaderModel model{store};
  FakeGracePeriod grace_period{&model};
  Reconciler reconciler{store, grace_period};
};

// Two states that differ in every way that there is.
DatapathState Before() {
  std::vector<Backend> both = Pods({1, 2, 3});
  both[0].in_local_list = true;
  return {
      {Name("changed"), OneFrontend(1, {1, 2})},
      {Name("gone"), OneFrontend(2, {3, 4})},
      {Name("from"), Port({Front("10.96.0.3"), Front("10.96.0.4")}, Pods({5}))},
      {Name("to"), OneFrontend(5, {6})},
      {Name("two-lists"),
       Port({Front("10.96.0.6"), Front("192.0.2.1", 30080, BackendList::kLocal)}, both)},
      {Name("same"), OneFrontend(7, {7})},
      {Name("other-range"), ForRanges(21, {"10.0.0.0/8", "2001:db8:1::/48"})},
      {Name("opened"), ForRanges(22, {"10.0.0.0/8"})},
      {Name("closed"), Port({Front("192.0.2.23")}, Pods({23}))},
      {Name("one-address-more"), Port({Front("10.96.0.24")}, Pods({24}))},
  };
}

DatapathState After() {
  std::vector<Backend> both = Pods({1, 2, 3});
  both[1].in_local_list = true;
  return {
      {Name("changed"), OneFrontend(1, {2, 9})},
      {Name("new"), OneFrontend(8, {1, 3})},
      {Name("from"), OneFrontend(3, {5})},
      {Name("to"), Port({Front("10.96.0.4"), Front("10.96.0.5")}, Pods({6}))},
      {Name("two-lists"),
       Port({Front("10.96.0.6"), Front("192.0.2.1", 30080, BackendList::kLocal)}, both)},
      {Name("same"), OneFrontend(7, {7})},
      {Name("other-range"), ForRanges(21, {"198.51.100.0/24", "2001:db8:1::/48"})},
      {Name("opened"), Port({Front("192.0.2.22")}, Pods({22}))},
      {Name("closed"), ForRanges(23, {"203.0.113.0/24"})},
      {Name("one-address-more"), ForRanges(24, {"203.0.113.0/24"})},
  };
}

TEST(ReconcilerFailureTest, WhicheverWriteFailsListsStayCompleteAndTheNextAttemptArrives) {
  for (const auto& [before, after] : {std::pair(Before(), After()), std::pair(After(), Before()),
                                      std::pair(Before(), DatapathState())}) {
    bool failed = true;
    for (size_t n = 0; failed; ++n) {
      SCOPED_TRACE(absl::StrCat("write ", n, " fails"));
      World world;
      world.Apply(before);
      world.model.Settle(before);
      const size_t attempts = world.store.attempts();
      world.store.FailAfter(n);
      const Reconciler::Result result = world.Apply(after);
      failed = world.store.attempts() > attempts + n;
      EXPECT_EQ(result.pending, failed ? 1u : 0u);
      EXPECT_THAT(result.failures, SizeIs(result.pending));
      world.store.Heal();
      EXPECT_EQ(world.reconciler.Apply({}).pending, 0u);
      world.ExpectArrived(after);
    }
  }
}

TEST(ReconcilerFailureTest, WhicheverWriteFailsTheOldStateCanBeWantedBack) {
  bool failed = true;
  for (size_t n = 0; failed; ++n) {
    SCOPED_TRACE(absl::StrCat("write ", n, " fails"));
    World world;
    world.Apply(Before());
    world.model.Settle(Before());
    const size_t attempts = world.store.attempts();
    world.store.FailAfter(n);
    world.Apply(Difference(Before(), After()), After());
    failed = world.store.attempts() > attempts + n;
    world.store.Heal();
    EXPECT_EQ(world.Apply(Difference(After(), Before()), Before()).pending, 0u);
    world.ExpectArrived(Before());
  }
}

TEST(ReconcilerFailureTest, AMapThatFailsForAWhileIsCaughtUpWith) {
  for (std::string_view map :
       {"shunt_frontends", "shunt_sources", "shunt_services", "shunt_slots", "shunt_backends"}) {
    SCOPED_TRACE(std::string(map));
    World world;
    world.Apply(Before());
    world.model.Settle(Before());
    world.store.FailWhere([=](std::string_view written) { return written == map; });
    for (int i = 0; i < 3; ++i) {
      const Reconciler::Result result = world.Apply(After());
      EXPECT_GT(result.pending, 0u);
      EXPECT_THAT(result.failures[0].ToString(), HasSubstr(std::string(map)));
    }
    world.store.Heal();
    EXPECT_EQ(world.reconciler.Apply({}).pending, 0u);
    world.ExpectArrived(After());
  }
}

TEST(ReconcilerFailureTest, FailuresUseUpNoRoom) {
  for (std::string_view map : {"shunt_slots", "shunt_backends"}) {
    SCOPED_TRACE(std::string(map));
    World world({.slots = 3, .backends = 3});
    const DatapathState state = {{Name("web"), OneFrontend(1, {1, 2, 3})}};
    world.store.FailWhere([=](std::string_view written) { return written == map; });
    for (int i = 0; i < 3; ++i) EXPECT_EQ(world.Apply(state).pending, 1u);
    world.store.Heal();
    EXPECT_EQ(world.reconciler.Apply({}).pending, 0u);
    world.ExpectArrived(state);
  }
}

TEST(ReconcilerFailureTest, AServiceThatWentBeforeItsNameCouldBeWrittenIsNotPending) {
  World world;
  world.store.FailWhere([](std::string_view map) { return map == "shunt_services"; });
  EXPECT_EQ(world.Apply({{Name("web"), OneFrontend(1, {1})}}).pending, 1u);
  EXPECT_EQ(world.Apply(DatapathState()).pending, 0u);
  world.ExpectArrived({});
}

TEST(ReconcilerFailureTest, AFailureHoldsUpItsOwnServiceAlone) {
  World world;
  world.Apply({{Name("a"), OneFrontend(1, {1})}, {Name("b"), OneFrontend(2, {2})}});
  world.store.FailFrontend(Key("10.96.0.1", 80));
  const DatapathState wanted = {{Name("a"), OneFrontend(1, {1, 3})},
                                {Name("b"), OneFrontend(2, {2, 3})}};
  const Reconciler::Result result = world.Apply(wanted);
  ASSERT_THAT(result.failures, SizeIs(1));
  EXPECT_EQ(result.failures[0].name, Name("a"));
  const Meaning now = MeaningOf(StateFromMaps(world.store).value());
  EXPECT_EQ(now.frontends.at(Key("10.96.0.2", 80)),
            MeaningOf(wanted).frontends.at(Key("10.96.0.2", 80)));
  EXPECT_THAT(now.frontends.at(Key("10.96.0.1", 80)), Not(HasSubstr("10.244.0.3")));
}

TEST(ReconcilerFailureTest, AnAddressThatCannotBeDeletedKeepsItsBackendsUntilItIs) {
  World world;
  const DatapathState before = {{Name("web"), OneFrontend(1, {1, 2})}};
  world.Apply(before);
  world.store.FailFrontend(Key("10.96.0.1", 80));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(world.Apply(DatapathState()).pending, 1u);
    EXPECT_EQ(MeaningOf(StateFromMaps(world.store).value()), MeaningOf(before));
    world.grace_period.EndAll();
  }
  world.store.Heal();
  world.Apply(DatapathState());
  world.ExpectArrived({});
}

TEST(ReconcilerFailureTest, AnAddressThatCannotBeHandedOverStaysWithTheOldServiceAndWorks) {
  World world;
  const DatapathState before = {{Name("old"), OneFrontend(1, {1, 2})}};
  const DatapathState after = {{Name("new"), OneFrontend(1, {3})}};
  world.Apply(before);
  world.store.FailFrontend(Key("10.96.0.1", 80));
  const Reconciler::Result result = world.Apply(after);
  ASSERT_THAT(result.failures, SizeIs(1));
  EXPECT_EQ(result.failures[0].name, Name("new"));
  world.grace_period.EndAll();
  EXPECT_EQ(MeaningOf(StateFromMaps(world.store).value()).frontends, MeaningOf(before).frontends);
  world.store.Heal();
  world.reconciler.Apply({});
  world.ExpectArrived(after);
}

// The model tells: nobody is let in who may not come before or after, and nobody
// sent away who may.
TEST(ReconcilerSourcesTest, ARangeThatIsChangedIsNeverOpenInBetween) {
  const ServicePortStatePtr wide = ForRanges(1, {"10.0.0.0/8", "203.0.113.0/24"});
  const ServicePortStatePtr narrow = ForRanges(1, {"10.1.2.0/24"});
  const ServicePortStatePtr nobody = ForRanges(1, {});
  const ServicePortStatePtr everybody = Port({Front("192.0.2.1")}, Pods({1}));
  for (const ServicePortStatePtr& before : {wide, narrow, nobody, everybody, {}}) {
    for (const ServicePortStatePtr& after : {wide, narrow, nobody, everybody, {}}) {
      bool failed = true;
      for (size_t n = 0; failed; ++n) {
        SCOPED_TRACE(absl::StrCat("write ", n, " fails"));
        World world;
        const DatapathState old = {{Name("web"), before ? before : Port({}, {})}};
        const DatapathState wanted = {{Name("web"), after ? after : Port({}, {})}};
        world.Apply(old);
        world.model.Settle(old);
        const size_t attempts = world.store.attempts();
        world.store.FailAfter(n);
        world.Apply(wanted);
        failed = world.store.attempts() > attempts + n;
        world.store.Heal();
        EXPECT_EQ(world.reconciler.Apply({}).pending, 0u);
        world.ExpectArrived(wanted);
      }
    }
  }
}

TEST(ReconcilerSourcesTest, ANewAddressIsNotOpenToARangeThatGoesThoughItCannotBeDeleted) {
  World world;
  world.Apply({{Name("web"), ForRanges(1, {"10.0.0.0/8"})}});
  ServicePortState moved = *ForRanges(2, {"203.0.113.0/24"});
  const DatapathState wanted = {{Name("web"), std::make_shared<ServicePortState>(moved)}};
  world.store.FailWhere([&, puts = 0](std::string_view map) mutable {
    return map == "shunt_sources" && puts++ > 0;  // the new one comes, the old one stays
  });
  EXPECT_EQ(world.Apply(wanted).pending, 1u);
  EXPECT_THAT(world.store.Frontends().value(), IsEmpty());
  world.store.Heal();
  EXPECT_EQ(world.reconciler.Apply({}).pending, 0u);
  world.ExpectArrived(wanted);
}

TEST(ReconcilerSourcesTest, AnAddressThatCannotBeDeletedIsNotOpenedByTheNextRanges) {
  World world;
  ServicePortState two = *ForRanges(1, {"10.0.0.0/8"});
  two.frontends.push_back(ForRanges(2, {})->frontends[0]);
  world.Apply({{Name("web"), std::make_shared<ServicePortState>(two)}});
  world.model.Settle({{Name("web"), std::make_shared<ServicePortState>(two)}});
  world.store.FailFrontend(Key("192.0.2.2", 80));
  const DatapathState wanted = {{Name("web"), ForRanges(1, {"10.0.0.0/8", "203.0.113.0/24"})}};
  EXPECT_EQ(world.Apply(wanted).pending, 1u);
  EXPECT_THAT(world.store.Sources().value(), SizeIs(1));
  world.store.Heal();
  EXPECT_EQ(world.reconciler.Apply({}).pending, 0u);
  world.ExpectArrived(wanted);
}

TEST(ReconcilerSourcesTest, ARangeThatStaysIsNotWrittenAgain) {
  World world;
  world.Apply({{Name("web"), ForRanges(1, {"10.0.0.0/8", "203.0.113.0/24"})}});
  const DatapathState wanted = {{Name("web"), ForRanges(1, {"10.0.0.0/8", "198.51.100.0/24"})}};
  EXPECT_EQ(world.Apply(wanted).writes, 2u);  // one comes, one goes
  world.ExpectArrived(wanted);
}

TEST(ReconcilerSourcesTest, AnIpv6RangeAroundTheIpv4AddressesLetsNoIpv4ClientIn) {
  World world;
  const DatapathState wanted = {{Name("web"), ForRanges(1, {"10.1.2.0/24", "::/1", "::/64"})}};
  world.Apply(wanted);
  world.ExpectArrived(wanted);
}

TEST(ReconcilerFullTest, AServiceWhoseRangesDoNotFitStaysClosedAndTheOthersWork) {
  World world({.sources = 2});
  const Reconciler::Result result =
      world.Apply({{Name("a"), ForRanges(1, {"10.0.0.0/8"})},
                   {Name("b"), ForRanges(2, {"10.0.0.0/8", "203.0.113.0/24"})},
                   {Name("c"), OneFrontend(3, {3})}});
  ASSERT_THAT(result.failures, SizeIs(1));
  EXPECT_EQ(result.failures[0].ToString(), "shop/b:http: map shunt_sources is full (2)");
  EXPECT_THAT(world.store.Frontends().value(), SizeIs(2));
}

TEST(ReconcilerFullTest, WhatFitsWorksTheRestIsNamedWithTheMapAndItsLimit) {
  World world({.frontends = 2});
  DatapathState state;
  for (int i = 1; i <= 3; ++i) state[Name(absl::StrCat("s", i))] = OneFrontend(i, {i});
  const Reconciler::Result result = world.Apply(state);
  ASSERT_THAT(result.failures, SizeIs(1));
  EXPECT_EQ(result.failures[0].ToString(), "shop/s3:http: map shunt_frontends is full (2)");
  EXPECT_THAT(world.store.Frontends().value(), SizeIs(2));
}

TEST(ReconcilerFullTest, AServiceThatDoesNotFitComesInWhenAnotherGoes) {
  for (const MemoryMapStore::Sizes& sizes :
       {MemoryMapStore::Sizes{.frontends = 2}, {.services = 2}, {.slots = 4}, {.backends = 4}}) {
    World world(sizes);
    DatapathState state;
    for (int i = 1; i <= 3; ++i) state[Name(absl::StrCat("s", i))] = OneFrontend(i, {1, 2});
    EXPECT_EQ(world.Apply(state).pending, 1u);
    state.erase(Name("s1"));
    world.Apply(state);
    world.reconciler.Apply({});  // what the first one let go has room for the third
    world.ExpectArrived(state);
  }
}

TEST(ReconcilerFullTest, AServiceThatCannotGrowKeepsAllThatItHad) {
  for (const MemoryMapStore::Sizes& sizes : {MemoryMapStore::Sizes{.slots = 5}, {.backends = 3}}) {
    World world(sizes);
    const DatapathState before = {{Name("web"), OneFrontend(1, {1, 2})}};
    world.Apply(before);
    world.model.Settle(before);
    const DatapathState after = {{Name("web"), OneFrontend(1, {1, 2, 3, 4})}};
    const Reconciler::Result result = world.Apply(after);
    ASSERT_THAT(result.failures, SizeIs(1));
    EXPECT_EQ(result.failures[0].reason.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(MeaningOf(StateFromMaps(world.store).value()).frontends, MeaningOf(before).frontends);
  }
}

TEST(ReconcilerFullTest, AnArenaInPiecesSaysSo) {
  World world({.slots = 6});
  DatapathState state;
  for (int i = 1; i <= 3; ++i) state[Name(absl::StrCat("s", i))] = OneFrontend(i, {1, 2});
  world.Apply(state);
  state.erase(Name("s1"));
  state.erase(Name("s3"));
  world.Apply(state);
  state[Name("big")] = OneFrontend(9, {1, 2, 3});
  const Reconciler::Result result = world.Apply(state);
  ASSERT_THAT(result.failures, SizeIs(1));
  EXPECT_EQ(result.failures[0].ToString(),
            "shop/big:http: map shunt_slots (6) has 4 free slots, but not 3 in a row");
}

TEST(ReconcilerInputTest, ANameThatDoesNotFitIsRefusedAndTheOthersGoOn) {
  World world;
  ServicePortName name = Name(std::string(70, 'x'));
  const Reconciler::Result result =
      world.Apply({{name, OneFrontend(1, {1})}, {Name("web"), OneFrontend(2, {2})}});
  ASSERT_THAT(result.failures, SizeIs(1));
  EXPECT_THAT(result.failures[0].ToString(), HasSubstr("longer than 63"));
  EXPECT_THAT(world.store.Frontends().value(), SizeIs(1));
  world.Apply(DatapathState());
  world.ExpectArrived({});
}

TEST(ReconcilerInputTest, AListThatIsTooLongIsRefusedAndTheOldOneStays) {
  World world({.slots = 200000, .backends = 100000});
  std::vector<Backend> many;
  for (int i = 0; i < SHUNT_MAX_SLOTS_PER_LIST + 1; ++i) {
    many.push_back(Chosen(absl::StrCat("10.", i / 65536, ".", i / 256 % 256, ".", i % 256), 80));
  }
  const DatapathState before = {{Name("web"), OneFrontend(1, {1})}};
  world.Apply(before);
  world.store.Observe(nullptr);
  const Reconciler::Result result =
      world.reconciler.Apply(All({{Name("web"), Port({Front("10.96.0.1")}, many)}}));
  ASSERT_THAT(result.failures, SizeIs(1));
  EXPECT_EQ(MeaningOf(StateFromMaps(world.store).value()).frontends, MeaningOf(before).frontends);
}

// Random changes, random failures. Whenever nothing is pending, the maps hold
// what a fresh agent would have written into empty ones.
TEST(ReconcilerFuzzTest, WhateverChangesAndFailsTheMapsArriveAtTheDesiredState) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    RandomStates random(seed);
    // Often too small, so that full maps and waiting belong to it.
    World world({.slots = random.Below(2) ? 40u : 4096u, .backends = random.Below(2) ? 40u : 999u});
    DatapathState state;
    for (int step = 0; step < 40; ++step) {
      DatapathState next = random.Next(state);
      if (random.Below(3) == 0) world.store.FailAfter(random.Below(12));
      const bool relist = random.Below(8) == 0;
      world.Apply(relist ? All(next) : Difference(state, next), next);
      state = std::move(next);
      if (random.Below(3) == 0) world.grace_period.EndAll();
      if (random.Below(2) == 0) continue;
      world.store.Heal();
      for (int i = 0; i < 5 && world.reconciler.Apply({}).pending > 0; ++i)
        world.grace_period.EndAll();
      const Reconciler::Result result = world.reconciler.Apply({});
      if (result.pending == 0) world.ExpectArrived(state);
    }
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace shunt
