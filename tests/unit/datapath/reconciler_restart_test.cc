// SPDX-License-Identifier: Apache-2.0
//
// What traffic sees when the agent dies and another one takes over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/unit/datapath/reader_model.h"
#include "tests/unit/datapath/states.h"
#include "userspace/datapath/inventory.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/datapath/service_name.h"
#include "userspace/state/dump.h"

namespace shunt {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// Maps and readers, which outlive agents.
struct Kernel {
  explicit Kernel(const MemoryMapStore::Sizes& sizes = {}) : store(sizes) { model.Settle({}); }

  // A new agent comes, adopts, and gets a complete state.
  Reconciler::Result Restart(const DatapathState& state) {
    store.Heal();
    model.Allow(state);
    Reconciler reconciler(store, grace_period);
    EXPECT_TRUE(reconciler.Adopt().ok());
    return reconciler.Apply(All(state));
  }

  void ExpectArrived(const DatapathState& state) {
    model.Settle(state);
    EXPECT_TRUE(Same(StateFromMaps(store).value(), Visible(state)))
        << Dump(StateFromMaps(store).value()) << "but wanted is\n"
        << Dump(state);
  }

  MemoryMapStore store;
  ReaderModel model{store};
  FakeGracePeriod grace_period{&model};
};

DatapathState Small() {
  std::vector<Backend> both = Pods({1, 2, 3});
  both[0].in_local_list = true;
  both[1].in_cluster_list = false;
  return {
      {Name("web"), OneFrontend(1, {1, 2})},
      {Name("dual"), Port({Front("10.96.0.2"), Front("fd00::2")},
                          {Chosen("10.244.0.1", 8080), Chosen("fd01::1", 8080)})},
      {Name("two-lists"),
       Port({Front("10.96.0.3"), Front("192.0.2.1", 30080, BackendList::kLocal)}, both)},
      {Name("equal-lists"), Port({Front("10.96.0.4", 80, BackendList::kLocal), Front("10.96.0.5")},
                                 {{.address = Ip("10.244.0.9"),
                                   .port = 80,
                                   .in_cluster_list = true,
                                   .in_local_list = true}})},
      {Name("empty"), OneFrontend(6, {})},
      {Name("headless"), Port({}, Pods({7}))},
      {Name("ranges"), ForRanges(8, {"10.0.0.0/8", "2001:db8::/32"})},
      {Name("opened"), ForRanges(9, {"10.0.0.0/8"})},
  };
}

DatapathState Other() {
  return {
      {Name("web"), OneFrontend(1, {2, 3})},
      {Name("dual"), Port({Front("10.96.0.2"), Front("fd00::2")}, {Chosen("fd01::1", 8080)})},
      {Name("two-lists"), OneFrontend(4, {1})},
      {Name("new"), Port({Front("10.96.0.3"), Front("10.96.0.6")}, Pods({8}))},
      {Name("ranges"), ForRanges(8, {"203.0.113.0/24"})},
      {Name("opened"), Port({Front("192.0.2.9")}, Pods({9}))},
  };
}

TEST(ReconcilerRestartTest, ARestartMovesNoTraffic) {
  Kernel kernel;
  EXPECT_EQ(kernel.Restart(Small()).pending, 0u);
  EXPECT_EQ(kernel.Restart(Small()).writes, 0u);
  kernel.ExpectArrived(Small());
}

TEST(ReconcilerRestartTest, ARestartAfterAnyHistoryMovesNoTraffic) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    RandomStates random(seed);
    Kernel kernel;
    DatapathState state;
    for (int i = 0; i < 4; ++i) {
      state = random.Next(random.Any());
      kernel.Restart(state);
    }
    EXPECT_EQ(kernel.Restart(state).writes, 0u);
    kernel.ExpectArrived(state);
  }
}

TEST(ReconcilerRestartTest, ANewAgentWritesWhatChangedWhileNoneRan) {
  Kernel kernel;
  kernel.Restart(Small());
  kernel.Restart(Other());
  kernel.ExpectArrived(Other());
}

TEST(ReconcilerRestartTest, NothingIsRemovedBeforeTheFirstCompleteState) {
  Kernel kernel;
  kernel.Restart(Small());
  Reconciler reconciler(kernel.store, kernel.grace_period);
  ASSERT_TRUE(reconciler.Adopt().ok());
  const StateChanges changes = {.changed = {{Name("web"), OneFrontend(1, {1, 2, 3})}}};
  DatapathState expected = Small();
  expected[Name("web")] = OneFrontend(1, {1, 2, 3});
  kernel.model.Allow(expected);
  reconciler.Apply(changes);
  kernel.ExpectArrived(expected);
}

// As while the Node, whose addresses are those of node ports, is not there yet.
TEST(ReconcilerRestartTest, BeforeTheFirstCompleteStateNoFrontendGoesAndNewOnesCome) {
  Kernel kernel;
  const DatapathState before = {
      {Name("web"), Port({Front("10.96.0.1"), Front("192.0.2.1", 30080)}, Pods({1, 2}))},
      {Name("gone"), OneFrontend(2, {3})}};
  kernel.Restart(before);
  const DatapathState now = {{Name("web"), OneFrontend(1, {1, 4})},
                             {Name("new"), OneFrontend(5, {5})}};
  kernel.model.Allow(now);
  Reconciler reconciler(kernel.store, kernel.grace_period);
  ASSERT_TRUE(reconciler.Adopt().ok());
  EXPECT_EQ(reconciler.Apply(Difference({}, now)).pending, 0u);
  Meaning served = MeaningOf(StateFromMaps(kernel.store).value());
  EXPECT_THAT(served.frontends[Front("10.96.0.1").key], ::testing::HasSubstr(" 10.244.0.4:8080"));
  EXPECT_THAT(served.frontends[Front("192.0.2.1", 30080).key],
              ::testing::HasSubstr(" 10.244.0.2:8080"));
  EXPECT_THAT(served.frontends[Front("10.96.0.2").key], ::testing::HasSubstr(" 10.244.0.3:8080"));
  EXPECT_THAT(served.frontends[Front("10.96.0.5").key], ::testing::HasSubstr(" 10.244.0.5:8080"));

  DatapathState all = now;
  all[Name("web")] = Port({Front("10.96.0.1"), Front("192.0.2.9", 30080)}, Pods({1, 4}));
  kernel.model.Allow(all);
  EXPECT_EQ(reconciler.Apply(All(all)).pending, 0u);
  kernel.ExpectArrived(all);
}

TEST(ReconcilerRestartTest, WhateverIsAddedBeforeACompleteStateItArrives) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Kernel kernel;
    RandomStates random(seed);
    DatapathState state = random.Any();
    kernel.Restart(state);
    Reconciler reconciler(kernel.store, kernel.grace_period);
    ASSERT_TRUE(reconciler.Adopt().ok());
    DatapathState told;
    for (int i = 0; i < 3; ++i) {
      state = random.Next(state);
      const Meaning before = MeaningOf(StateFromMaps(kernel.store).value());
      kernel.model.Allow(state);
      reconciler.Apply(Difference(told, state));
      told = state;
      const Meaning after = MeaningOf(StateFromMaps(kernel.store).value());
      for (const auto& [key, text] : before.frontends) {
        EXPECT_TRUE(after.frontends.contains(key)) << "seed " << seed;
      }
    }
    EXPECT_EQ(reconciler.Apply(All(state)).pending, 0u) << "seed " << seed;
    kernel.ExpectArrived(state);
  }
}

TEST(ReconcilerRestartTest, IdsOfServicesOutliveTheAgentAndNewOnesAreHigher) {
  Kernel kernel;
  kernel.Restart({{Name("a"), OneFrontend(1, {1})}, {Name("b"), OneFrontend(2, {2})}});
  const auto before = kernel.store.Services().value();
  kernel.Restart({{Name("b"), OneFrontend(2, {2})}, {Name("c"), OneFrontend(3, {3})}});
  const auto after = kernel.store.Services().value();
  ASSERT_THAT(before, SizeIs(2));
  ASSERT_THAT(after, SizeIs(2));
  EXPECT_EQ(after[0].first, before[1].first);
  EXPECT_GT(after[1].first, before[1].first);
}

TEST(ReconcilerRestartTest, AnIdThatIsStillMentionedAnywhereIsNotGivenToAnotherService) {
  Kernel kernel;
  kernel.Restart({{Name("a"), OneFrontend(1, {1})}, {Name("b"), OneFrontend(2, {2})}});
  const uint32_t b = kernel.store.Services().value().back().first;
  kernel.Restart({{Name("b"), OneFrontend(2, {2})}});
  kernel.Restart({{Name("b"), OneFrontend(2, {2})}, {Name("c"), OneFrontend(3, {3})}});
  EXPECT_GT(kernel.store.Services().value().back().first, b);
}

TEST(ReconcilerRestartTest, AStaleReferenceIsNoticedAlsoWhenAnotherAgentUsesTheIdAgain) {
  Kernel kernel;
  kernel.Restart({{Name("web"), OneFrontend(1, {1})}});
  const shunt_backend old = kernel.store.backends()[0];
  kernel.Restart(DatapathState());
  kernel.Restart({{Name("web"), OneFrontend(1, {2})}});
  EXPECT_EQ(kernel.store.backends()[0].state, SHUNT_BACKEND_SERVING);
  EXPECT_NE(kernel.store.backends()[0].generation, old.generation);
}

TEST(ReconcilerRestartTest, WhereverTheAgentIsKilledTheNextOneArrives) {
  for (const auto& [before, after] :
       {std::pair(Small(), Other()), std::pair(Other(), Small()),
        std::pair(DatapathState(), Small()), std::pair(Small(), DatapathState())}) {
    bool killed = true;
    for (size_t n = 0; killed; ++n) {
      SCOPED_TRACE(absl::StrCat("killed after ", n, " writes"));
      Kernel kernel;
      kernel.Restart(before);
      kernel.model.Settle(before);
      kernel.model.Allow(after);
      Reconciler dies(kernel.store, kernel.grace_period);
      ASSERT_TRUE(dies.Adopt().ok());
      kernel.store.StopAfter(n);
      killed = dies.Apply(All(after)).pending > 0;
      EXPECT_EQ(kernel.Restart(after).pending, 0u);
      kernel.ExpectArrived(after);
      EXPECT_EQ(kernel.Restart(after).writes, 0u);
    }
  }
}

TEST(ReconcilerRestartTest, KilledOverAndOverItArrivesOnceItIsLeftAlone) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    RandomStates random(seed);
    Kernel kernel;
    DatapathState state;
    for (int step = 0; step < 15; ++step) {
      state = random.Next(random.Below(3) == 0 ? random.Any() : state);
      kernel.store.Heal();
      kernel.model.Allow(state);
      Reconciler dies(kernel.store, kernel.grace_period);
      ASSERT_TRUE(dies.Adopt().ok());
      kernel.store.StopAfter(random.Below(40));
      dies.Apply(All(state));
      if (random.Below(3) == 0) kernel.grace_period.EndAll();
    }
    EXPECT_EQ(kernel.Restart(state).pending, 0u);
    kernel.ExpectArrived(state);
    if (::testing::Test::HasFailure()) break;
  }
}

// Someone else has written into the maps: anything may stand there.

// Nothing of it may be left once a complete state was applied, which has one
// more service, so that ids have to be given out beside the garbage.
void ExpectRepaired(Kernel& kernel, DatapathState state) {
  state[Name("late")] = OneFrontend(201, {1, 50});
  kernel.store.Observe(nullptr);  // the readers of garbage see garbage
  EXPECT_EQ(kernel.Restart(state).pending, 0u);
  kernel.ExpectArrived(state);
  EXPECT_EQ(kernel.Restart(state).writes, 0u);
}

// Whether the frontend 10.96.0.LAST:80 would be relied on.
bool IsTrusted(const Kernel& kernel, int last) {
  const Inventory inventory = TakeInventory(kernel.store).value();
  return std::any_of(inventory.frontends.begin(), inventory.frontends.end(), [&](const auto& f) {
    return f.key == Key(absl::StrCat("10.96.0.", last), 80) && f.value.owner.service_id != kNobody;
  });
}

shunt_frontend_key AbiKey(int last) { return Key(absl::StrCat("10.96.0.", last), 80).ToAbi(); }

shunt_frontend ValueOf(const Kernel& kernel, int last) {
  const auto entries = kernel.store.Frontends().value();
  for (const auto& [key, value] : entries) {
    if (FrontendKey::FromAbi(key) == FrontendKey::FromAbi(AbiKey(last))) return value;
  }
  return {};
}

void PutSource(Kernel& kernel, uint32_t service_id, std::string_view range) {
  ASSERT_TRUE(kernel.store.PutSource(SourceKeyOf(service_id, Cidr::Parse(range).value())).ok());
}

TEST(ReconcilerDamageTest, EachKindOfDamageIsRepaired) {
  using Damage = std::function<void(Kernel&)>;
  const auto change_frontend = [](auto change) {
    return [=](Kernel& kernel) {
      shunt_frontend value = ValueOf(kernel, 1);
      change(value);
      ASSERT_TRUE(kernel.store.PutFrontend(AbiKey(1), value).ok());
    };
  };
  const auto change_backend = [](auto change) {
    return [=](Kernel& kernel) {
      change(
          kernel.store.mutable_backends()[kernel.store.slots()[ValueOf(kernel, 1).slots.base].id]);
    };
  };
  struct Case {
    std::string name;
    Damage damage;
    bool trusted = false;  // the frontend 10.96.0.1:80 still hangs together
  };
  const std::vector<Case> cases = {
      {"frontend of an unknown service", change_frontend([](auto& f) { f.owner.service_id = 77; })},
      {"frontend of service 0", change_frontend([](auto& f) { f.owner.service_id = 0; })},
      {"frontend of the highest id", change_frontend([](auto& f) { f.owner.service_id = ~0u; })},
      {"frontend of another service", change_frontend([](auto& f) { f.owner.service_id ^= 3; })},
      {"wrong tag", change_frontend([](auto& f) { ++f.owner.tag; })},
      {"slots out of bounds", change_frontend([](auto& f) { f.slots.base = ~0u - 1; })},
      {"too many slots", change_frontend([](auto& f) { f.slots.count = ~0u; })},
      {"other slots", change_frontend([](auto& f) { ++f.slots.base; })},
      {"fewer slots", change_frontend([](auto& f) { --f.slots.count; }), true},
      {"flags", change_frontend([](auto& f) { f.flags = 0xff; }), true},
      {"kind", change_frontend([](auto& f) { f.kind = shunt_frontend_kind{9}; }), true},
      {"affinity", change_frontend([](auto& f) { f.affinity_timeout_s = ~0u; }), true},
      {"rule", change_frontend([](auto& f) { f.index_rule = shunt_index_rule{9}; }), true},
      {"generation of a backend", change_backend([](auto& b) { ++b.generation; })},
      {"generation 0", change_backend([](auto& b) { b.generation = 0; })},
      {"state of a backend", change_backend([](auto& b) { b.state = shunt_backend_state{9}; })},
      {"freed backend", change_backend([](auto& b) { b.state = SHUNT_BACKEND_FREE; })},
      {"unknown service of a backend", change_backend([](auto& b) { b.service_id = 99; })},
      {"other service of a backend", change_backend([](auto& b) { b.service_id ^= 3; })},
      {"protocol of a backend", change_backend([](auto& b) { b.protocol = SHUNT_UDP; })},
      {"family of a backend", change_backend([](auto& b) { b.address = {}; })},
      {"address of a backend", change_backend([](auto& b) { b.address.bytes[15] = 99; }), true},
      {"two of one address", change_backend([](auto& b) { b.address.bytes[15] = 2; }), true},
      {"range of an unknown service", [](Kernel& k) { PutSource(k, 1000, "10.0.0.0/8"); }, true},
      {"range of service 0", [](Kernel& k) { PutSource(k, 0, "0.0.0.0/0"); }, true},
      {"one more range",
       [](Kernel& k) { PutSource(k, ValueOf(k, 1).owner.service_id, "0.0.0.0/0"); }, true},
      {"range over all services",
       [](Kernel& k) { ASSERT_TRUE(k.store.PutSource({.prefix_length = 0}).ok()); }, true},
      {"lost range",
       [](Kernel& k) { ASSERT_TRUE(k.store.DeleteSource(k.store.Sources().value().front()).ok()); },
       true},
      {"lost name",
       [](Kernel& k) { ASSERT_TRUE(k.store.DeleteService(ValueOf(k, 1).owner.service_id).ok()); }},
      {"garbage name",
       [](Kernel& k) {
         shunt_service garbage;
         std::memset(&garbage, 0xa5, sizeof(garbage));
         ASSERT_TRUE(k.store.PutService(ValueOf(k, 1).owner.service_id, garbage).ok());
       }},
      {"one name twice",
       [](Kernel& k) {
         ASSERT_TRUE(k.store.PutService(1000, k.store.Services().value().front().second).ok());
       },
       true},
      {"service 0",
       [](Kernel& k) {
         ASSERT_TRUE(k.store.PutService(0, EncodeServiceName(Name("zero")).value()).ok());
       },
       true},
      {"one more service", [](Kernel& k) { ASSERT_TRUE(k.store.PutService(~0u, {}).ok()); }, true},
      {"one more frontend",
       [](Kernel& k) { ASSERT_TRUE(k.store.PutFrontend(AbiKey(200), ValueOf(k, 1)).ok()); }, true},
      {"slot that leads nowhere",
       [](Kernel& k) { k.store.mutable_slots()[ValueOf(k, 1).slots.base].id = ~0u; }},
      {"slots of zeros",
       [](Kernel& k) {
         std::fill(k.store.mutable_slots().begin(), k.store.mutable_slots().end(),
                   shunt_backend_ref{});
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Kernel kernel;
    kernel.Restart(Small());
    ASSERT_TRUE(IsTrusted(kernel, 1));
    kernel.store.Observe(nullptr);
    c.damage(kernel);
    EXPECT_EQ(IsTrusted(kernel, 1), c.trusted);
    EXPECT_TRUE(StateFromMaps(kernel.store).ok());
    ExpectRepaired(kernel, Small());
  }
}

TEST(ReconcilerDamageTest, AListLongerThanProgramsFollowIsNotTrusted) {
  Kernel kernel({.slots = 100000});
  kernel.Restart({{Name("web"), OneFrontend(1, {1})}});
  kernel.store.Observe(nullptr);
  shunt_frontend value = ValueOf(kernel, 1);
  std::vector<shunt_backend_ref>& slots = kernel.store.mutable_slots();
  std::fill(slots.begin(), slots.end(), slots[value.slots.base]);
  for (const auto& [count, trusted] :
       {std::pair(SHUNT_MAX_SLOTS_PER_LIST, true), {SHUNT_MAX_SLOTS_PER_LIST + 1, false}}) {
    value.slots = {.base = 0, .count = static_cast<uint32_t>(count)};
    ASSERT_TRUE(kernel.store.PutFrontend(AbiKey(1), value).ok());
    EXPECT_EQ(IsTrusted(kernel, 1), trusted);
  }
}

TEST(ReconcilerDamageTest, AServiceDoesNotGetTheSlotsOfAnotherThatOverlapThem) {
  Kernel kernel;
  kernel.Restart(Small());
  const shunt_frontend web = ValueOf(kernel, 1);
  shunt_frontend overlapping = web;
  ++overlapping.slots.base;
  --overlapping.slots.count;
  const shunt_frontend_key key = AbiKey(200);
  overlapping.owner.tag = shunt_frontend_tag(&key);
  kernel.store.Observe(nullptr);
  ASSERT_TRUE(kernel.store.PutFrontend(key, overlapping).ok());
  EXPECT_TRUE(IsTrusted(kernel, 1));
  EXPECT_FALSE(IsTrusted(kernel, 200));
  ExpectRepaired(kernel, Small());
}

TEST(ReconcilerDamageTest, MapsFullOfNoiseAreReplaced) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 random(seed);
    Kernel kernel({.slots = 256, .backends = 64});
    kernel.Restart(Small());
    kernel.store.Observe(nullptr);
    // Small numbers, which mostly mean something, and a few wild ones.
    const auto noise = [&](auto& object) {
      for (size_t i = 0; i < sizeof(object); ++i) {
        if (random() % 16 == 0) {
          reinterpret_cast<uint8_t*>(&object)[i] = random() % 8 == 0 ? random() : random() % 4;
        }
      }
    };
    for (auto& slot : kernel.store.mutable_slots()) noise(slot);
    for (auto& backend : kernel.store.mutable_backends()) noise(backend);
    const auto frontends = kernel.store.Frontends().value();
    for (auto [key, value] : frontends) {
      if (random() % 2 == 0) noise(key);
      noise(value);
      ASSERT_TRUE(kernel.store.PutFrontend(key, value).ok());
    }
    const auto sources = kernel.store.Sources().value();
    for (auto key : sources) {
      noise(key);
      ASSERT_TRUE(kernel.store.PutSource(key).ok());
    }
    const auto services = kernel.store.Services().value();
    for (auto [id, value] : services) {
      if (random() % 2 == 0) noise(value);
      ASSERT_TRUE(kernel.store.PutService(random() % 2 ? id : random() % 16, value).ok());
    }
    EXPECT_TRUE(StateFromMaps(kernel.store).ok());
    ExpectRepaired(kernel, Small());
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace shunt
