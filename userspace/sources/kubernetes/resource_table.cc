// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/resource_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

using Fate = DecodedObject::Fate;

// Fewer may well go at once.
constexpr size_t kFew = 10;

bool Counts(const ApiChange& change) {
  return change.object.decoded && !change.is_deleted &&
         change.object.decoded->fate != Fate::kOfNoConcern;
}

// Of what was told, what is there in the end.
absl::flat_hash_set<NamespacedName> Listed(const std::vector<ApiChange>& changes) {
  absl::flat_hash_set<NamespacedName> listed;
  for (const ApiChange& change : changes) {
    if (!change.object.decoded) continue;
    if (Counts(change)) {
      listed.insert(change.object.decoded->key.name);
    } else {
      listed.erase(change.object.decoded->key.name);
    }
  }
  return listed;
}

}  // namespace

ResourceTable::ResourceTable(Kind kind, Store& store, OnChange on_change)
    : kind_(kind), store_(store), on_change_(std::move(on_change)) {}

ResourceTable::Replaced ResourceTable::Replace(std::vector<ApiChange> changes, bool confirmed) {
  const absl::flat_hash_set<NamespacedName> listed = Listed(changes);
  std::vector<NamespacedName> gone;
  for (const NamespacedName& name : known_) {
    if (!listed.contains(name)) gone.push_back(name);
  }
  if (!confirmed && known_.size() > kFew && gone.size() * 2 > known_.size()) {
    return Replaced::kUnlikely;
  }
  std::vector<ObjectChange> result;
  result.reserve(changes.size() + gone.size());
  for (const NamespacedName& name : gone) Remove(name, result);
  for (ApiChange& change : changes) Take(std::move(change), result);
  Publish(std::move(result));
  return Replaced::kDone;
}

void ResourceTable::Update(std::vector<ApiChange> changes) {
  std::vector<ObjectChange> result;
  for (ApiChange& change : changes) Take(std::move(change), result);
  Publish(std::move(result));
}

void ResourceTable::Take(ApiChange change, std::vector<ObjectChange>& into) {
  if (!change.object.decoded) {  // nobody knows its name
    if (!change.object.problems.empty()) {
      store_.SetProblems(absl::StrCat("kubernetes ", Absl(KindName(kind_)), " without a name"),
                         std::move(change.object.problems));
    }
    return;
  }
  DecodedObject& decoded = *change.object.decoded;
  if (!Counts(change)) {
    Remove(decoded.key.name, into);
    if (change.is_deleted) change.object.problems.clear();
  } else {
    known_.insert(decoded.key.name);
    if (decoded.fate == Fate::kUsable) {
      into.push_back({.key = decoded.key, .object = std::move(decoded.object)});
    }
  }
  Report(decoded.key, std::move(change.object.problems));
}

void ResourceTable::Remove(const NamespacedName& name, std::vector<ObjectChange>& into) {
  if (known_.erase(name) == 0) return;
  ObjectKey key{.kind = kind_, .name = name};
  Report(key, {});
  into.push_back({.key = std::move(key)});
}

// The store is told of an object without problems only where it had some.
void ResourceTable::Report(const ObjectKey& key, Problems problems) {
  if (problems.empty() ? faulty_.erase(key.name) == 0 : false) return;
  if (!problems.empty()) faulty_.insert(key.name);
  store_.SetProblems(absl::StrCat("kubernetes ", key.ToString()), std::move(problems));
}

void ResourceTable::Publish(std::vector<ObjectChange> changes) {
  if (changes.empty()) return;
  for (const ObjectChange& change : changes) on_change_(change);
  store_.Apply(std::move(changes));
}

}  // namespace shunt
