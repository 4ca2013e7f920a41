// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_MANIFEST_SET_H_
#define SHUNT_SOURCES_MANIFESTS_MANIFEST_SET_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "userspace/model/cluster.h"
#include "userspace/sources/manifests/manifest_decoder.h"

namespace shunt {

// What all the files of a directory say together. An object that several files
// define is the one of the first file by name; the others wait, and take over
// when that file goes or no longer has it. The cost of a change follows the
// file that changed.
//
// Not thread-safe: belongs to the thread of its source.
class ManifestSet {
 public:
  // What is to be told after some files changed: one unit.
  struct Update {
    std::vector<ObjectChange> changes;
    // Files whose problems may have become others, with what they are now.
    absl::btree_map<std::string, Problems> problems;
  };

  // A file says this now. Objects that cannot be used, and all of them where the
  // file is not readable, keep the last good state that they had in this file.
  void Set(const std::string& file, ManifestContent content);
  // The file cannot be read: its objects stay.
  void Fail(const std::string& file, const std::string& message);
  void Remove(const std::string& file);

  // What came of the calls since the last Take().
  Update Take();

  std::vector<std::string> files() const;

 private:
  struct Claim {
    std::shared_ptr<const Object> object;
    int line = 0;
  };
  // By file: the first one is the owner.
  using Claims = absl::btree_map<std::string, Claim>;
  struct File {
    absl::flat_hash_set<const ObjectKey*> keys;  // of its claims: those in claims_
    absl::btree_set<ObjectKey> waiting;          // of those, what an earlier file owns
    Problems problems;                           // of the text
  };

  void SetClaim(const std::string& file, const ManifestObject& object);
  // `key` is a copy: the last claim takes the one in claims_ with it.
  void DropClaim(const std::string& file, ObjectKey key);
  // The claims of `key` changed, and the owner's object was `before`.
  void Settle(const ObjectKey& key, const std::shared_ptr<const Object>& before);
  std::shared_ptr<const Object> OwnersObject(const ObjectKey& key) const;
  Problems ProblemsOf(const std::string& file) const;

  absl::btree_map<std::string, File> files_;
  absl::node_hash_map<ObjectKey, Claims> claims_;  // its keys stay where they are
  std::vector<ObjectChange> changes_;
  absl::btree_set<std::string> touched_;  // files
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_MANIFEST_SET_H_
