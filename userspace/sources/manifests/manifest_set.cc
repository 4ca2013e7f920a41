// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/manifest_set.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace shunt {

void ManifestSet::Set(const std::string& file, ManifestContent content) {
  touched_.insert(file);
  File& entry = files_[file];
  entry.problems = std::move(content.problems);
  if (!content.readable) return;

  absl::flat_hash_set<const ObjectKey*> gone = entry.keys;
  for (const ManifestObject& object : content.objects) {
    SetClaim(file, object);
    const auto claims = claims_.find(object.key);
    if (claims != claims_.end()) gone.erase(&claims->first);
  }
  for (const ObjectKey* key : gone) DropClaim(file, *key);
}

void ManifestSet::Fail(const std::string& file, const std::string& message) {
  touched_.insert(file);
  files_[file].problems = {{.origin = file, .message = message}};
}

void ManifestSet::Remove(const std::string& file) {
  const auto entry = files_.find(file);
  if (entry == files_.end()) return;
  touched_.insert(file);
  const absl::flat_hash_set<const ObjectKey*> keys = entry->second.keys;
  for (const ObjectKey* key : keys) DropClaim(file, *key);
  files_.erase(entry);
}

ManifestSet::Update ManifestSet::Take() {
  Update update{.changes = std::exchange(changes_, {})};
  for (const std::string& file : touched_) update.problems[file] = ProblemsOf(file);
  touched_.clear();
  return update;
}

std::vector<std::string> ManifestSet::files() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : files_) names.push_back(name);
  return names;
}

void ManifestSet::SetClaim(const std::string& file, const ManifestObject& object) {
  const std::shared_ptr<const Object> before = OwnersObject(object.key);
  if (object.object == nullptr) {  // cannot be used: the last good state stays, if there is one
    const auto claims = claims_.find(object.key);
    if (claims == claims_.end() || !claims->second.contains(file)) return;
    claims->second[file].line = object.line;
  } else {
    const auto claims = claims_.try_emplace(object.key).first;
    Claim& claim = claims->second[file];
    // Equal objects stay the one that the store has, so that it is there once.
    if (claim.object == nullptr || *claim.object != *object.object) claim.object = object.object;
    claim.line = object.line;
    files_[file].keys.insert(&claims->first);
  }
  Settle(object.key, before);
}

void ManifestSet::DropClaim(const std::string& file, ObjectKey key) {
  const std::shared_ptr<const Object> before = OwnersObject(key);
  const auto claims = claims_.find(key);
  files_[file].keys.erase(&claims->first);
  files_[file].waiting.erase(key);
  claims->second.erase(file);
  if (claims->second.empty()) claims_.erase(claims);
  Settle(key, before);
}

void ManifestSet::Settle(const ObjectKey& key, const std::shared_ptr<const Object>& before) {
  const std::shared_ptr<const Object> after = OwnersObject(key);
  if (before != after) changes_.push_back({.key = key, .object = after});

  const auto claims = claims_.find(key);
  if (claims == claims_.end()) return;
  bool owns = true;
  for (const auto& [file, claim] : claims->second) {
    File& entry = files_[file];
    const bool changed = owns ? entry.waiting.erase(key) > 0 : true;
    if (!owns) entry.waiting.insert(key);
    if (changed) touched_.insert(file);  // also when the line that it names moved
    owns = false;
  }
}

std::shared_ptr<const Object> ManifestSet::OwnersObject(const ObjectKey& key) const {
  const auto claims = claims_.find(key);
  return claims == claims_.end() ? nullptr : claims->second.begin()->second.object;
}

Problems ManifestSet::ProblemsOf(const std::string& file) const {
  const auto entry = files_.find(file);
  if (entry == files_.end()) return {};
  Problems problems = entry->second.problems;
  for (const ObjectKey& key : entry->second.waiting) {
    const Claims& claims = claims_.at(key);
    const auto& [owner, claim] = *claims.begin();
    problems.push_back({.object = key.ToString(),
                        .origin = absl::StrCat(file, ":", claims.at(file).line),
                        .message = absl::StrCat("defined in ", owner, ":", claim.line,
                                                " too, which counts: its file comes first")});
  }
  return problems;
}

}  // namespace shunt
