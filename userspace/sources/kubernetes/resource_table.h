// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_RESOURCE_TABLE_H_
#define SHUNT_SOURCES_KUBERNETES_RESOURCE_TABLE_H_

#include <functional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "userspace/sources/kubernetes/api_object.h"
#include "userspace/store/store.h"

namespace shunt {

// What the server said of one object.
struct ApiChange {
  ApiObject object;
  bool is_deleted = false;
};

// Which objects of one resource the server has, so that a list also tells which
// are gone; and the way of all of them into the store. Belongs to one thread.
class ResourceTable {
 public:
  using OnChange = std::function<void(const ObjectChange& change)>;

  // `on_change` sees what goes into the store. `store` outlives the table.
  ResourceTable(Kind kind, Store& store, OnChange on_change);

  enum class Replaced { kDone, kUnlikely };

  // The complete state, in the order in which it was told; what is not in it is
  // gone. kUnlikely: more than half of the objects would be, as after a restored
  // backup or at the wrong cluster. Then nothing was done, unless the list is
  // `confirmed` by a second look.
  Replaced Replace(std::vector<ApiChange> changes, bool confirmed);

  // Single changes, in the order in which they happened.
  void Update(std::vector<ApiChange> changes);

  size_t size() const { return known_.size(); }

 private:
  void Take(ApiChange change, std::vector<ObjectChange>& into);
  void Remove(const NamespacedName& name, std::vector<ObjectChange>& into);
  void Report(const ObjectKey& key, Problems problems);
  void Publish(std::vector<ObjectChange> changes);

  const Kind kind_;
  Store& store_;
  const OnChange on_change_;
  absl::flat_hash_set<NamespacedName> known_;   // also those that cannot be used
  absl::flat_hash_set<NamespacedName> faulty_;  // with problems in the store
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_RESOURCE_TABLE_H_
