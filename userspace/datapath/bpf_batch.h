// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_BPF_BATCH_H_
#define SHUNT_DATAPATH_BPF_BATCH_H_

#include <bpf/bpf.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/base/status.h"

namespace shunt {

// All entries of a hash map, thousands in each system call. Entries that are
// written meanwhile may be missing or old, never torn.
template <typename K, typename V>
absl::StatusOr<std::vector<std::pair<K, V>>> ReadHash(int fd) {
  std::vector<std::pair<K, V>> entries;
  std::vector<K> keys(4096);
  std::vector<V> values(keys.size());
  uint64_t position = 0;  // the kernel's: the number of a bucket
  bool first = true, more = true;
  while (more) {
    uint32_t count = keys.size();
    const int result = bpf_map_lookup_batch(fd, first ? nullptr : &position, &position, keys.data(),
                                            values.data(), &count, nullptr);
    if (result < 0 && errno == ENOSPC) {  // one bucket holds more than the buffers
      keys.resize(keys.size() * 2);
      values.resize(keys.size());
      continue;
    }
    if (result < 0 && errno != ENOENT) return ErrnoStatus("read a BPF map");
    more = result == 0;
    first = false;
    for (uint32_t i = 0; i < count; ++i) entries.emplace_back(keys[i], values[i]);
  }
  return entries;
}

}  // namespace shunt

#endif  // SHUNT_DATAPATH_BPF_BATCH_H_
