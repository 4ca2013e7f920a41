// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_STORE_STORE_H_
#define SHUNT_STORE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"
#include "userspace/model/cluster.h"

namespace shunt {

// Where sources put what they learned and the control thread takes what
// changed. Merges EndpointSlices with their Service, coalesces several changes
// of one object into the last, and drops those that change nothing.
//
// Thread-safe. It holds the only copy of the objects; they are immutable once
// they are in, and shared with whoever took them.
class Store {
 public:
  // `node_name`: the Node that counts; others are dropped. `on_change` is
  // called, from the thread that changed something, when there is something to
  // take, when the problems became others and when a source is complete; it
  // must not call back.
  Store(std::string node_name, std::function<void()> on_change);

  // For sources. All changes of one call are taken together.
  void Apply(std::vector<ObjectChange> changes) ABSL_LOCKS_EXCLUDED(mutex_);
  // A source has told all Services and EndpointSlices, and something that they do
  // not need is late. Until then Take() returns nothing: stale is better than empty.
  void MarkServicesListed() ABSL_LOCKS_EXCLUDED(mutex_);
  // A source has said everything that it knew when it started.
  void MarkSynced() ABSL_LOCKS_EXCLUDED(mutex_);
  // Replaces the problems that `origin` (a file, a watch) reported before.
  void SetProblems(const std::string& origin, Problems problems) ABSL_LOCKS_EXCLUDED(mutex_);

  // For the control thread: what changed since the last call, as one unit.
  ClusterChanges Take() ABSL_LOCKS_EXCLUDED(mutex_);

  // One Service with its slices as they are now. No Service: service is null.
  ServiceInput Find(const NamespacedName& name) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether all Services are there; whether all is, so that what is not there is gone.
  bool services_listed() const ABSL_LOCKS_EXCLUDED(mutex_);
  bool synced() const ABSL_LOCKS_EXCLUDED(mutex_);
  Problems problems() const ABSL_LOCKS_EXCLUDED(mutex_);
  struct Sizes {
    size_t services, slices, endpoints, problems;
  };
  Sizes sizes() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Changes of objects, before several of one object are coalesced.
  struct ChangeCounts {
    uint64_t services = 0, slices = 0;                  // since the start
    uint64_t pending_services = 0, pending_slices = 0;  // not yet taken
  };
  ChangeCounts change_counts() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // An object is found by the name that it has: with 10,000 Services, names that
  // were kept twice took 2 MB.
  struct NameOf {
    const NamespacedName& operator()(const NamespacedName& name) const { return name; }
    const NamespacedName& operator()(const auto& object) const { return object->meta.name; }
  };
  struct NameHash {
    using is_transparent = void;
    size_t operator()(const auto& named) const { return absl::HashOf(NameOf()(named)); }
  };
  struct SameName {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return NameOf()(a) == NameOf()(b); }
  };
  template <typename T>
  using ByName = absl::flat_hash_set<std::shared_ptr<const T>, NameHash, SameName>;
  // Of one Service, in the order of their names.
  using Slices = std::vector<std::shared_ptr<const EndpointSlice>>;

  void Count(Kind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ApplyOne(ObjectChange change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ApplyService(const NamespacedName& name, std::shared_ptr<const Service> service)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ApplySlice(const NamespacedName& name, std::shared_ptr<const EndpointSlice> slice)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ApplyNode(const NamespacedName& name, std::shared_ptr<const Node> node)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  ServiceInput InputOf(const NamespacedName& name) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveSlice(const NamespacedName& name, const EndpointSlice& slice)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string node_name_;
  const std::function<void()> on_change_;

  mutable absl::Mutex mutex_;
  bool services_listed_ ABSL_GUARDED_BY(mutex_) = false;
  bool synced_ ABSL_GUARDED_BY(mutex_) = false;  // then services_listed_, too
  ByName<Service> services_ ABSL_GUARDED_BY(mutex_);
  // By the Service that they name, and by their own name.
  absl::flat_hash_map<NamespacedName, Slices> slices_ ABSL_GUARDED_BY(mutex_);
  ByName<EndpointSlice> slices_by_name_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Node> node_ ABSL_GUARDED_BY(mutex_);
  size_t endpoints_ ABSL_GUARDED_BY(mutex_) = 0;

  absl::flat_hash_set<NamespacedName> changed_services_ ABSL_GUARDED_BY(mutex_);
  bool node_changed_ ABSL_GUARDED_BY(mutex_) = false;
  ChangeCounts change_counts_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<std::string, Problems> problems_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace shunt

#endif  // SHUNT_STORE_STORE_H_
