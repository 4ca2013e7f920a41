// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/reconciler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/unit/datapath/reader_model.h"
#include "tests/unit/datapath/states.h"
#include "userspace/datapath/service_name.h"

namespace shunt {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReconcilerTest : public ::testing::Test {
 protected:
  ReconcilerTest() {
    EXPECT_TRUE(reconciler_.Adopt().ok());
    model_.Settle({});
  }

  // Applies what differs and checks that it all arrived.
  Reconciler::Result Go(const DatapathState& state) {
    model_.Allow(state);
    const Reconciler::Result result = reconciler_.Apply(Difference(state_, state));
    EXPECT_THAT(result.failures, IsEmpty());
    model_.Settle(state);
    state_ = state;
    EXPECT_TRUE(Same(StateFromMaps(store_).value(), Visible(state)));
    return result;
  }

  std::optional<shunt_frontend> Value(const FrontendKey& key) {
    const auto entries = store_.Frontends().value();
    for (const auto& [abi, value] : entries) {
      if (FrontendKey::FromAbi(abi) == key) return value;
    }
    return std::nullopt;
  }
  shunt_frontend Value(int last) {
    return Value(Key(absl::StrCat("10.96.0.", last), 80)).value_or(shunt_frontend{});
  }
  // The id of a live backend.
  std::optional<uint32_t> IdOf(std::string_view address) {
    for (uint32_t id = 0; id < store_.backends().size(); ++id) {
      const shunt_backend& backend = store_.backends()[id];
      if (backend.state != SHUNT_BACKEND_FREE && ToIpAddress(backend.address) == Ip(address)) {
        return id;
      }
    }
    return std::nullopt;
  }

  MemoryMapStore store_;
  ReaderModel model_{store_};
  FakeGracePeriod grace_period_{&model_};
  Reconciler reconciler_{store_, grace_period_};
  DatapathState state_;
};

TEST_F(ReconcilerTest, ConnectionsReachTheBackendsOfTheServiceThatTheyDial) {
  Go({{Name("web"), OneFrontend(1, {1, 2})}, {Name("api"), OneFrontend(2, {1, 3})}});
  EXPECT_EQ(Value(1).slots.count, 2u);
  EXPECT_NE(Value(1).owner.service_id, Value(2).owner.service_id);
}

TEST_F(ReconcilerTest, ApplyingTheSameAgainWritesNothing) {
  const DatapathState state = {{Name("web"), OneFrontend(1, {1, 2})}};
  Go(state);
  EXPECT_EQ(reconciler_.Apply(All({{Name("web"), OneFrontend(1, {1, 2})}})).writes, 0u);
  EXPECT_EQ(reconciler_.Apply({}).writes, 0u);
}

TEST_F(ReconcilerTest, ANewPodGetsConnectionsThroughAFreshListAndOneCommit) {
  Go({{Name("web"), OneFrontend(1, {1, 2})}});
  const shunt_frontend before = Value(1);
  const Reconciler::Result result = Go({{Name("web"), OneFrontend(1, {1, 2, 3})}});
  EXPECT_EQ(result.writes, 3u);  // backend, slots, frontend
  EXPECT_NE(Value(1).slots.base, before.slots.base);
  EXPECT_EQ(Value(1).owner.service_id, before.owner.service_id);
}

TEST_F(ReconcilerTest, AServiceThatDoesNotChangeIsNotTouchedByOneThatDoes) {
  Go({{Name("web"), OneFrontend(1, {1, 2})}, {Name("api"), OneFrontend(2, {3})}});
  const shunt_range before = Value(1).slots;
  Go({{Name("web"), OneFrontend(1, {1, 2})}, {Name("api"), OneFrontend(2, {3, 4})}});
  EXPECT_EQ(Value(1).slots.base, before.base);
}

TEST_F(ReconcilerTest, AllAddressesOfAServiceShareOneList) {
  Go({{Name("web"), Port({Front("10.96.0.1"), Front("192.0.2.1", 30080)}, Pods({1, 2}))}});
  EXPECT_EQ(Value(1).slots.base, Value(Key("192.0.2.1", 30080))->slots.base);
}

TEST_F(ReconcilerTest, OneMoreAddressOfAServiceLeavesItsListWhereItIs) {
  Go({{Name("web"), OneFrontend(1, {1, 2})}});
  const shunt_range before = Value(1).slots;
  Go({{Name("web"), Port({Front("10.96.0.1"), Front("192.0.2.1", 30080)}, Pods({1, 2}))}});
  EXPECT_EQ(Value(1).slots.base, before.base);
}

TEST_F(ReconcilerTest, EachFamilyOfADualStackServiceGetsItsOwnBackends) {
  Go({{Name("web"), Port({Front("10.96.0.1"), Front("fd00::1")},
                         {Chosen("10.244.0.1", 8080), Chosen("fd01::1", 8080)})}});
  EXPECT_EQ(Value(1).slots.count, 1u);
  EXPECT_EQ(Value(Key("fd00::1", 80))->slots.count, 1u);
}

TEST_F(ReconcilerTest, LocalAndClusterTrafficHaveListsOfTheirOwn) {
  std::vector<Backend> pods = Pods({1, 2, 3});
  pods[1].in_local_list = true;
  const DatapathState state = {
      {Name("web"),
       Port({Front("10.96.0.1"), Front("192.0.2.1", 30080, BackendList::kLocal)}, pods)}};
  Go(state);
  EXPECT_EQ(Value(1).slots.count, 3u);
  EXPECT_EQ(Value(Key("192.0.2.1", 30080))->slots.count, 1u);
  EXPECT_TRUE(Same(StateFromMaps(store_).value(), state));
}

TEST_F(ReconcilerTest, ATrafficPolicyThatBecomesLocalIsSeenInTheMapsThoughTheBackendsAreTheSame) {
  std::vector<Backend> pods = Pods({1, 2});
  for (Backend& pod : pods) pod.in_local_list = true;
  Go({{Name("web"), Port({Front("10.96.0.1"), Front("192.0.2.1", 30080)}, pods)}});
  const DatapathState state = {
      {Name("web"),
       Port({Front("10.96.0.1"), Front("192.0.2.1", 30080, BackendList::kLocal)}, pods)}};
  Go(state);
  EXPECT_TRUE(Same(StateFromMaps(store_).value(), state));
}

TEST_F(ReconcilerTest, WithoutUsableBackendsADiallerIsToldSoAndNoSlotIsNeeded) {
  Go({{Name("web"), OneFrontend(1, {})}});
  EXPECT_EQ(Value(1).slots.base, 0u);
  EXPECT_EQ(Value(1).slots.count, 0u);
  EXPECT_EQ(Value(1).when_empty, SHUNT_NO_ENDPOINT);
}

TEST_F(ReconcilerTest, ADrainingBackendKeepsWhatItHasButIsNotChosen) {
  Go({{Name("web"), Port({Front("10.96.0.1")}, Pods({1, 2}))}});
  const std::optional<uint32_t> id = IdOf("10.244.0.2");
  const uint32_t generation = store_.backends()[*id].generation;
  Go({{Name("web"),
       Port({Front("10.96.0.1")}, {Chosen("10.244.0.1", 8080), Draining("10.244.0.2", 8080)})}});
  EXPECT_EQ(IdOf("10.244.0.2"), id);
  EXPECT_EQ(store_.backends()[*id].generation, generation);
}

TEST_F(ReconcilerTest, ABackendThatMovesToAnotherNodeUnderItsAddressIsAnotherBackend) {
  std::vector<Backend> pods = Pods({1, 2});
  pods[0].on_this_node = true;
  Go({{Name("web"), Port({Front("10.96.0.1")}, pods)}});
  const uint32_t id = *IdOf("10.244.0.1");
  EXPECT_EQ(store_.backends()[id].on_this_node, 1);
  pods[0].on_this_node = false;
  const DatapathState state = {{Name("web"), Port({Front("10.96.0.1")}, pods)}};
  Go(state);
  EXPECT_EQ(store_.backends()[id].state, SHUNT_BACKEND_FREE);
  EXPECT_TRUE(Same(StateFromMaps(store_).value(), state));
}

TEST_F(ReconcilerTest, ADeletedServiceLeavesNothingBehind) {
  Go({{Name("web"), OneFrontend(1, {1, 2})}});
  Go({});
  EXPECT_THAT(store_.Frontends().value(), IsEmpty());
  EXPECT_THAT(store_.Services().value(), IsEmpty());
  EXPECT_EQ(IdOf("10.244.0.1"), std::nullopt);
}

TEST_F(ReconcilerTest, ASocketNoticesThatItsBackendIsGoneFromTheMomentItIs) {
  Go({{Name("web"), OneFrontend(1, {1, 2})}});
  const uint32_t id = *IdOf("10.244.0.2");
  const shunt_backend before = store_.backends()[id];
  Go({{Name("web"), OneFrontend(1, {1})}});
  EXPECT_NE(store_.backends()[id].generation, before.generation);
  EXPECT_EQ(store_.backends()[id].state, SHUNT_BACKEND_FREE);
  EXPECT_EQ(ToIpAddress(store_.backends()[id].address), Ip("10.244.0.2"));
}

TEST_F(ReconcilerTest, AFreedBackendIdIsUsedAgainOnlyAfterAGracePeriodAndThenTheLowestFirst) {
  Go({{Name("web"), OneFrontend(1, {1, 2, 3})}});
  const uint32_t id = *IdOf("10.244.0.1");
  Go({{Name("web"), OneFrontend(1, {2, 3})}});
  Go({{Name("web"), OneFrontend(1, {2, 3, 4})}});
  EXPECT_NE(IdOf("10.244.0.4"), id);
  grace_period_.EndAll();
  Go({{Name("web"), OneFrontend(1, {2, 3, 4, 5})}});
  EXPECT_EQ(IdOf("10.244.0.5"), id);
}

TEST_F(ReconcilerTest, AnAddressThatMovesToAnotherServiceIsNeverUnknownMeanwhile) {
  for (const auto& [from, to] : {std::pair("a", "b"), std::pair("b", "a")}) {
    Go({{Name(from), OneFrontend(1, {1})}, {Name(to), Port({}, Pods({2}))}});
    const size_t writes = Go({{Name(from), Port({}, Pods({1}))}, {Name(to), OneFrontend(1, {2})}})
                              .writes;  // the model allows no gap
    EXPECT_EQ(writes, 2u);              // slots and frontend
  }
}

TEST_F(ReconcilerTest, AnAddressIsTakenOverFromAServiceThatGoes) {
  Go({{Name("old"), OneFrontend(1, {1})}});
  Go({{Name("new"), OneFrontend(1, {2})}});
  EXPECT_THAT(store_.Services().value(), SizeIs(1));
}

TEST_F(ReconcilerTest, TwoServicesSwapTheirAddressesWithoutAGap) {
  Go({{Name("a"), OneFrontend(1, {1})}, {Name("b"), OneFrontend(2, {2})}});
  Go({{Name("a"), OneFrontend(2, {1})}, {Name("b"), OneFrontend(1, {2})}});
}

TEST_F(ReconcilerTest, ACompleteStateRemovesWhatItDoesNotName) {
  Go({{Name("web"), OneFrontend(1, {1})}, {Name("api"), OneFrontend(2, {2})}});
  const DatapathState state = {{Name("web"), OneFrontend(1, {1})}};
  model_.Allow(state);
  reconciler_.Apply(All(state));
  model_.Settle(state);
}

TEST_F(ReconcilerTest, AServiceThatComesBackIsNotTakenForTheOneThatWent) {
  Go({{Name("web"), OneFrontend(1, {1})}});
  const uint32_t id = Value(1).owner.service_id;
  Go({});
  Go({{Name("web"), OneFrontend(1, {1})}});
  EXPECT_GT(Value(1).owner.service_id, id);
}

TEST_F(ReconcilerTest, TcpAndUdpOnOnePortAreTwoServicePorts) {
  ServicePortName udp = Name("dns");
  udp.protocol = SHUNT_UDP;
  Go({{Name("dns"), Port({Front("10.96.0.1", 53)}, Pods({1}))},
      {udp, Port({{.key = Key("10.96.0.1", 53, SHUNT_UDP)}}, Pods({1}))}});
  EXPECT_THAT(store_.Frontends().value(), SizeIs(2));
}

TEST_F(ReconcilerTest, ManyChangesNeedOneGracePeriodAndNobodyWaitsForIt) {
  DatapathState before, after;
  for (int i = 0; i < 50; ++i) {
    before[Name(absl::StrCat("s", i))] = OneFrontend(i, {i});
    after[Name(absl::StrCat("s", i))] = OneFrontend(i, {i, i + 100});
  }
  Go(before);
  const size_t begun = grace_period_.begun(), waits = grace_period_.waits();
  Go(after);
  EXPECT_EQ(grace_period_.begun(), begun + 1);
  EXPECT_EQ(grace_period_.waits(), waits);
}

TEST_F(ReconcilerTest, AnUpdateThatLetsNothingGoNeedsNoGracePeriod) {
  const size_t begun = grace_period_.begun();
  Go({{Name("web"), OneFrontend(1, {1})}});
  EXPECT_EQ(grace_period_.begun(), begun);
}

TEST(ReconcilerShortageTest, AFullArenaIsWaitedForRatherThanRefused) {
  MemoryMapStore store({.slots = 8});
  ReaderModel model(store);
  FakeGracePeriod grace_period(&model);
  Reconciler reconciler(store, grace_period);
  ASSERT_TRUE(reconciler.Adopt().ok());
  // Six slots are in use or in quarantine when the next six are wanted.
  for (const auto& pods : {std::vector{1, 2, 3}, {1, 2, 4}, {1, 2, 5}, {1, 2, 6}}) {
    const DatapathState state = {{Name("web"), OneFrontend(1, pods)}};
    model.Allow(state);
    EXPECT_EQ(reconciler.Apply(All(state)).pending, 0u);
    model.Settle(state);
  }
  EXPECT_GT(grace_period.waits(), 1u);
}

TEST(ReconcilerShortageTest, ABackendIdIsWaitedForRatherThanRefused) {
  MemoryMapStore store({.backends = 2});
  ReaderModel model(store);
  FakeGracePeriod grace_period(&model);
  Reconciler reconciler(store, grace_period);
  ASSERT_TRUE(reconciler.Adopt().ok());
  for (const auto& pods : {std::vector{1, 2}, {1}, {1, 3}}) {
    const DatapathState state = {{Name("web"), OneFrontend(1, pods)}};
    model.Allow(state);
    EXPECT_EQ(reconciler.Apply(All(state)).pending, 0u);
    model.Settle(state);
  }
}

TEST(StateFromMapsTest, WhatWasAppliedIsReadBack) {
  MemoryMapStore store;
  FakeGracePeriod grace_period;
  Reconciler reconciler(store, grace_period);
  ASSERT_TRUE(reconciler.Adopt().ok());
  const DatapathState state = {
      {Name("web"),
       Port({Front("10.96.0.1"), Front("fd00::1")},
            {Chosen("10.244.0.1", 80), Draining("10.244.0.2", 80), Chosen("fd01::1", 80)})},
      {Name("empty"), OneFrontend(2, {})},
      {Name("headless"), Port({}, {})},
  };
  reconciler.Apply(All(state));
  EXPECT_TRUE(Same(StateFromMaps(store).value(), state));
}

TEST(StateFromMapsTest, AServiceWithoutANameIsShownByItsId) {
  MemoryMapStore store;
  FakeGracePeriod grace_period;
  Reconciler reconciler(store, grace_period);
  ASSERT_TRUE(reconciler.Adopt().ok());
  reconciler.Apply(All({{Name("web"), OneFrontend(1, {1})}}));
  const uint32_t id = store.Services().value().front().first;
  ASSERT_TRUE(store.DeleteService(id).ok());
  const DatapathState state = StateFromMaps(store).value();
  ASSERT_THAT(state, SizeIs(1));
  EXPECT_EQ(state.begin()->first.ToString(), absl::StrCat("?/", id));
  EXPECT_EQ(*state.begin()->second, *OneFrontend(1, {1}));
}

TEST(StateFromMapsTest, ABackendThatASlotNamesByAnOldGenerationIsNotShownInTheList) {
  MemoryMapStore store;
  FakeGracePeriod grace_period;
  Reconciler reconciler(store, grace_period);
  ASSERT_TRUE(reconciler.Adopt().ok());
  reconciler.Apply(All({{Name("web"), OneFrontend(1, {1, 2})}}));
  ++store.mutable_backends()[1].generation;
  EXPECT_EQ(
      *StateFromMaps(store).value().at(Name("web")),
      *Port({Front("10.96.0.1")}, {Chosen("10.244.0.1", 8080), Draining("10.244.0.2", 8080)}));
}

TEST(StateFromMapsTest, TwoIdsOfOneNameAreShownApart) {
  MemoryMapStore store;
  ASSERT_TRUE(store.PutService(3, EncodeServiceName(Name("web")).value()).ok());
  ASSERT_TRUE(store.PutService(4, EncodeServiceName(Name("web")).value()).ok());
  EXPECT_THAT(StateFromMaps(store).value(), SizeIs(2));
}

TEST(ServiceNameTest, NoServiceCanPassForOneWithoutAName) {
  EXPECT_EQ(DecodeServiceName(EncodeServiceName(UnknownServiceName(5)).value()), std::nullopt);
}

TEST(ServiceNameTest, TheLongestNamesFitAndOneCharacterMoreIsRefused) {
  ServicePortName name = {.name_space = std::string(63, 'a'),
                          .name = std::string(63, 'b'),
                          .port = std::string(63, 'c')};
  EXPECT_EQ(DecodeServiceName(EncodeServiceName(name).value()), name);
  name.name += "b";
  EXPECT_EQ(EncodeServiceName(name).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace shunt
