// SPDX-License-Identifier: Apache-2.0
#include "userspace/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <utility>

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

ObjectChange Put(Object object) {
  const ObjectKey key = KeyOf(object);
  return {.key = key, .object = std::make_shared<const Object>(std::move(object))};
}

ObjectChange Delete(Kind kind, const std::string& name) {
  return {.key = {.kind = kind, .name = {kind == Kind::kNode ? "" : "shop", name}}};
}

Service ServiceOf(const std::string& name, uint16_t port = 80) {
  return {.meta = {.name = {"shop", name}}, .ports = {{.port = port}}};
}

EndpointSlice SliceOf(const std::string& name, const std::string& service, int endpoints = 1) {
  EndpointSlice slice{.meta = {.name = {"shop", name}}, .service = {"shop", service}};
  slice.endpoints.resize(endpoints);
  return slice;
}

std::vector<std::string> SliceNames(const ServiceInput& input) {
  std::vector<std::string> names;
  for (const auto& slice : input.slices) names.push_back(slice->meta.name.name);
  return names;
}

class StoreTest : public ::testing::Test {
 protected:
  void Apply(ObjectChange change) {
    std::vector<ObjectChange> changes;
    changes.push_back(std::move(change));
    store_.Apply(std::move(changes));
  }

  int notified_ = 0;
  Store store_{"node-a", [this] { ++notified_; }};
};

TEST_F(StoreTest, CountsChangesUntilTheyAreTakenAndInAll) {
  store_.MarkSynced();
  Apply(Put(ServiceOf("web")));
  Apply(Put(ServiceOf("web", 81)));
  Apply(Put(ServiceOf("web", 81)));  // nothing new
  Apply(Put(SliceOf("web-1", "web")));
  Store::ChangeCounts counts = store_.change_counts();
  EXPECT_EQ(counts.pending_services, 2u);
  EXPECT_EQ(counts.pending_slices, 1u);
  store_.Take();
  Apply(Delete(Kind::kEndpointSlice, "web-1"));
  counts = store_.change_counts();
  EXPECT_EQ(counts.services, 2u);
  EXPECT_EQ(counts.pending_services, 0u);
  EXPECT_EQ(counts.slices, 2u);
  EXPECT_EQ(counts.pending_slices, 1u);
}

TEST_F(StoreTest, HandsOutNothingUntilTheSourceIsComplete) {
  Apply(Put(ServiceOf("web")));
  EXPECT_TRUE(store_.Take().empty());
  EXPECT_EQ(notified_, 0);
  store_.MarkSynced();
  EXPECT_EQ(notified_, 1);
  EXPECT_THAT(store_.Take().services, ElementsAre(Key(NamespacedName{"shop", "web"})));
}

TEST_F(StoreTest, ServicesThatAreListedAreHandedOutThoughSomethingElseIsLate) {
  Apply(Put(ServiceOf("web")));
  store_.MarkServicesListed();
  EXPECT_EQ(notified_, 1);
  EXPECT_TRUE(store_.services_listed());
  EXPECT_FALSE(store_.synced());
  EXPECT_THAT(store_.Take().services, SizeIs(1));
  Apply(Put(ServiceOf("api")));
  EXPECT_THAT(store_.Take().services, ElementsAre(Key(NamespacedName{"shop", "api"})));
  store_.MarkSynced();
  EXPECT_EQ(notified_, 3);
  EXPECT_TRUE(store_.synced());
}

TEST_F(StoreTest, SaysSoWhenASourceIsCompleteAndEmpty) {
  store_.MarkSynced();
  EXPECT_EQ(notified_, 1);
  EXPECT_TRUE(store_.synced());
}

class SyncedStoreTest : public StoreTest {
 protected:
  SyncedStoreTest() { store_.MarkSynced(); }
};

TEST_F(SyncedStoreTest, AServiceComesWithAllItsSlicesByName) {
  store_.Apply({Put(SliceOf("web-b", "web")), Put(ServiceOf("web")), Put(SliceOf("web-a", "web"))});
  const ClusterChanges changes = store_.Take();
  ASSERT_THAT(changes.services, SizeIs(1));
  const ServiceInput& web = changes.services.begin()->second;
  EXPECT_EQ(*web.service, ServiceOf("web"));
  EXPECT_THAT(SliceNames(web), ElementsAre("web-a", "web-b"));
}

TEST_F(SyncedStoreTest, OnlyTheServiceThatChangedIsTaken) {
  store_.Apply({Put(ServiceOf("web")), Put(ServiceOf("api"))});
  store_.Take();
  Apply(Put(SliceOf("api-1", "api")));
  EXPECT_THAT(store_.Take().services, ElementsAre(Key(NamespacedName{"shop", "api"})));
  EXPECT_TRUE(store_.Take().empty());
}

TEST_F(SyncedStoreTest, WhatIsEqualWakesNobody) {
  store_.Apply({Put(ServiceOf("web")), Put(SliceOf("web-1", "web")),
                Put(Node{.meta = {.name = {"", "node-a"}}})});
  store_.Take();
  notified_ = 0;
  store_.Apply({Put(ServiceOf("web")), Put(SliceOf("web-1", "web")),
                Put(Node{.meta = {.name = {"", "node-a"}}})});
  EXPECT_EQ(notified_, 0);
  EXPECT_TRUE(store_.Take().empty());
}

TEST_F(SyncedStoreTest, DeletingWhatNobodyKnowsDoesNothing) {
  notified_ = 0;
  store_.Apply({Delete(Kind::kService, "web"), Delete(Kind::kEndpointSlice, "web-1"),
                Delete(Kind::kNode, "node-a")});
  EXPECT_EQ(notified_, 0);
  EXPECT_TRUE(store_.Take().empty());
}

TEST_F(SyncedStoreTest, ASliceThatMovesChangesBothServices) {
  store_.Apply({Put(ServiceOf("web")), Put(ServiceOf("api")), Put(SliceOf("s", "web", 3))});
  store_.Take();
  Apply(Put(SliceOf("s", "api", 2)));
  const ClusterChanges changes = store_.Take();
  ASSERT_THAT(changes.services, SizeIs(2));
  EXPECT_THAT(SliceNames(changes.services.at({"shop", "web"})), IsEmpty());
  EXPECT_THAT(SliceNames(changes.services.at({"shop", "api"})), ElementsAre("s"));
  EXPECT_EQ(store_.sizes().endpoints, 2u);
}

TEST_F(SyncedStoreTest, ASliceMayComeBeforeItsService) {
  Apply(Put(SliceOf("web-1", "web")));
  EXPECT_EQ(store_.Take().services.at({"shop", "web"}).service, nullptr);
  Apply(Put(ServiceOf("web")));
  EXPECT_THAT(SliceNames(store_.Take().services.at({"shop", "web"})), ElementsAre("web-1"));
}

TEST_F(SyncedStoreTest, ADeletedServiceIsTakenAsGone) {
  Apply(Put(ServiceOf("web")));
  store_.Take();
  Apply(Delete(Kind::kService, "web"));
  EXPECT_EQ(store_.Take().services.at({"shop", "web"}).service, nullptr);
  EXPECT_EQ(store_.sizes().services, 0u);
}

TEST_F(SyncedStoreTest, OnlyTheOwnNodeCounts) {
  Apply(Put(Node{.meta = {.name = {"", "node-b"}}, .zone = "b"}));
  EXPECT_TRUE(store_.Take().empty());
  Apply(Put(Node{.meta = {.name = {"", "node-a"}}, .zone = "a"}));
  ClusterChanges changes = store_.Take();
  EXPECT_TRUE(changes.node_changed);
  EXPECT_EQ(changes.node->zone, "a");
  Apply(Put(ServiceOf("web")));
  changes = store_.Take();
  EXPECT_FALSE(changes.node_changed);
  EXPECT_EQ(changes.node->zone, "a");  // known also where it did not change
}

TEST_F(SyncedStoreTest, ProblemsOfAnOriginReplaceThoseItReportedBefore) {
  store_.SetProblems("b.yaml", {{.message = "two"}});
  store_.SetProblems("a.yaml", {{.message = "one"}});
  EXPECT_THAT(store_.problems(), ElementsAre(Problem{.message = "one"}, Problem{.message = "two"}));
  notified_ = 0;
  store_.SetProblems("a.yaml", {{.message = "one"}});
  store_.SetProblems("c.yaml", {});
  EXPECT_EQ(notified_, 0);
  store_.SetProblems("a.yaml", {});
  EXPECT_EQ(notified_, 1);
  EXPECT_EQ(store_.sizes().problems, 1u);
}

// The cluster as it is, kept in the plainest way.
struct Reference {
  std::map<std::string, Service> services;
  std::map<std::string, EndpointSlice> slices;

  void Change(const ObjectChange& change) {
    const std::string& name = change.key.name.name;
    if (change.key.kind == Kind::kService) {
      services.erase(name);
      if (change.object) services[name] = std::get<Service>(*change.object);
    } else {
      slices.erase(name);
      if (change.object) slices[name] = std::get<EndpointSlice>(*change.object);
    }
  }

  // By Service: its port and the endpoints of each of its slices.
  std::map<std::string, std::pair<int, std::vector<size_t>>> Summary() const {
    std::map<std::string, std::pair<int, std::vector<size_t>>> summary;
    for (const auto& [name, service] : services) summary[name].first = service.ports[0].port;
    for (const auto& [name, slice] : slices) {
      summary[slice.service.name].second.push_back(slice.endpoints.size());
    }
    return summary;
  }
};

ObjectChange RandomChange(std::mt19937& random) {
  const auto pick = [&](int n) { return static_cast<int>(random() % n); };
  const std::string service(1, static_cast<char>('a' + pick(4)));
  const std::string slice = "s" + std::to_string(pick(6));
  switch (pick(4)) {
    case 0:
      return Put(ServiceOf(service, static_cast<uint16_t>(1 + pick(3))));
    case 1:
      return Delete(Kind::kService, service);
    case 2:
      return Put(SliceOf(slice, service, pick(3)));
    default:
      return Delete(Kind::kEndpointSlice, slice);
  }
}

TEST_F(SyncedStoreTest, WhatWasTakenAddsUpToTheClusterAfterAnyEvents) {
  std::mt19937 random(1);
  Reference reference;
  std::map<std::string, std::pair<int, std::vector<size_t>>> taken;
  for (int round = 0; round < 3000; ++round) {
    std::vector<ObjectChange> changes;
    for (unsigned i = 0; i < 1 + random() % 4; ++i) changes.push_back(RandomChange(random));
    for (const ObjectChange& change : changes) reference.Change(change);
    store_.Apply(std::move(changes));
    if (random() % 3 == 0) continue;  // several are coalesced

    for (const auto& [name, input] : store_.Take().services) {
      taken.erase(name.name);
      if (input.service == nullptr && input.slices.empty()) continue;
      auto& entry = taken[name.name];
      entry.first = input.service == nullptr ? 0 : input.service->ports[0].port;
      for (const auto& slice : input.slices) entry.second.push_back(slice->endpoints.size());
    }
    ASSERT_EQ(taken, reference.Summary()) << "round " << round;
    ASSERT_EQ(store_.sizes().slices, reference.slices.size());
  }
}

}  // namespace
}  // namespace shunt
