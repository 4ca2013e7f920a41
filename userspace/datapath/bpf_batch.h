// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_BPF_BATCH_H_
#define SHUNT_DATAPATH_BPF_BATCH_H_

#include <bpf/bpf.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/base/status.h"

namespace shunt {

// A walk through the entries of a hash map, many in each system call. Entries
// that are written meanwhile may be missing or old, never torn. Each bucket is
// locked for the moment in which it is copied: nobody waits for a walk.
class HashWalk {
 public:
  // `fd` outlives the walk. `batch`: how many entries a step reads.
  HashWalk(int fd, uint32_t key_size, uint32_t value_size, size_t batch = 4096)
      : fd_(fd), key_size_(key_size), value_size_(value_size) {
    Reserve(batch);
  }

  // Reads the next entries, and returns how many. The last step sets at_end().
  absl::StatusOr<size_t> Step() {
    while (true) {
      uint32_t count = capacity_;
      const int result = bpf_map_lookup_batch(fd_, first_ ? nullptr : &position_, &position_,
                                              keys_.data(), values_.data(), &count, nullptr);
      if (result < 0 && errno == ENOSPC) {  // one bucket holds more than the buffers
        Reserve(capacity_ * 2);
        continue;
      }
      if (result < 0 && errno != ENOENT) return ErrnoStatus("read a BPF map");
      at_end_ = result < 0;
      first_ = false;
      return count;
    }
  }
  bool at_end() const { return at_end_; }

  // Of the last step, by number.
  template <typename K>
  K KeyAt(size_t i) const {
    return At<K>(keys_, i);
  }
  template <typename V>
  V ValueAt(size_t i) const {
    return At<V>(values_, i);
  }

 private:
  void Reserve(size_t batch) {
    capacity_ = batch;
    keys_.resize(batch * key_size_);
    values_.resize(batch * value_size_);
  }

  template <typename T>
  static T At(const std::vector<char>& bytes, size_t i) {
    T value;
    memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
    return value;
  }

  const int fd_;
  const uint32_t key_size_, value_size_;
  size_t capacity_ = 0;
  std::vector<char> keys_, values_;
  uint64_t position_ = 0;  // the kernel's: the number of a bucket
  bool first_ = true, at_end_ = false;
};

// All entries of a hash map.
template <typename K, typename V>
absl::StatusOr<std::vector<std::pair<K, V>>> ReadHash(int fd) {
  std::vector<std::pair<K, V>> entries;
  HashWalk walk(fd, sizeof(K), sizeof(V));
  while (!walk.at_end()) {
    SHUNT_ASSIGN_OR_RETURN(const size_t count, walk.Step());
    for (size_t i = 0; i < count; ++i) {
      entries.emplace_back(walk.KeyAt<K>(i), walk.ValueAt<V>(i));
    }
  }
  return entries;
}

// How many entries a hash map holds, which the kernel does not tell.
inline absl::StatusOr<uint64_t> CountHash(int fd, uint32_t key_size, uint32_t value_size) {
  uint64_t entries = 0;
  HashWalk walk(fd, key_size, value_size);
  while (!walk.at_end()) {
    SHUNT_ASSIGN_OR_RETURN(const size_t count, walk.Step());
    entries += count;
  }
  return entries;
}

// The same for a trie, one call for each.
inline uint64_t CountTrie(int fd, uint32_t key_size) {
  std::vector<char> key(key_size);
  uint64_t entries = 0;
  while (bpf_map_get_next_key(fd, entries == 0 ? nullptr : key.data(), key.data()) == 0) ++entries;
  return entries;
}

}  // namespace shunt

#endif  // SHUNT_DATAPATH_BPF_BATCH_H_
