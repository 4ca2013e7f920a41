// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_DELTA_TABLE_H_
#define SHUNT_DATAPATH_DELTA_TABLE_H_

#include <cstddef>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"

namespace shunt {

// One map of the kernel as it is, and as it should become:
//
//        Want(k, v)  Unwant(k)                 the write succeeded
//   desired ------------------> pending ------------------------> actual
//           <------------------
//                 Keep(k)              desired = actual overlaid by pending
//
// Only what differs is kept twice, so writing the difference costs what the
// difference costs, however much there is. `actual` changes after a write has
// succeeded and at no other time: what failed is still pending.
//
// Belongs to one thread.
template <typename K, typename V>
class DeltaTable {
  static_assert(std::has_unique_object_representations_v<V>, "compared byte by byte");

 public:
  // The map held this when we came.
  void Adopt(const K& key, const V& value) { actual_.insert_or_assign(key, value); }

  void Want(const K& key, const V& value) {
    const V* actual = Actual(key);
    if (actual != nullptr && std::memcmp(actual, &value, sizeof(V)) == 0) {
      pending_.erase(key);
    } else {
      pending_.insert_or_assign(key, value);
    }
  }

  void Unwant(const K& key) {
    if (actual_.contains(key)) {
      pending_.insert_or_assign(key, std::nullopt);
    } else {
      pending_.erase(key);
    }
  }

  // Let it be as it is, there or not.
  void Keep(const K& key) { pending_.erase(key); }

  // Null where the map has no such entry.
  const V* Actual(const K& key) const {
    auto it = actual_.find(key);
    return it == actual_.end() ? nullptr : &it->second;
  }

  bool IsPending(const K& key) const { return pending_.contains(key); }

  size_t size() const { return actual_.size(); }
  size_t pending() const { return pending_.size(); }

  // Calls erase(key, actual) for each entry that has to go, in order of keys;
  // it returns whether the entry is gone.
  template <typename Erase>
  void FlushDeletes(Erase erase) {
    for (auto it = pending_.begin(); it != pending_.end();) {
      if (it->second.has_value() || !erase(it->first, *Actual(it->first))) {
        ++it;
        continue;
      }
      actual_.erase(it->first);
      it = pending_.erase(it);
    }
  }

  // Calls put(key, actual or null, desired) for each entry that is new or
  // differs, in order of keys; it returns whether the map holds it now.
  template <typename Put>
  void FlushPuts(Put put) {
    for (auto it = pending_.begin(); it != pending_.end();) {
      if (!it->second.has_value() || !put(it->first, Actual(it->first), *it->second)) {
        ++it;
        continue;
      }
      actual_.insert_or_assign(it->first, *it->second);
      it = pending_.erase(it);
    }
  }

 private:
  absl::flat_hash_map<K, V> actual_;
  absl::btree_map<K, std::optional<V>> pending_;  // no value: to be deleted
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_DELTA_TABLE_H_
