// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_SOURCE_KEY_H_
#define SHUNT_DATAPATH_SOURCE_KEY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/btree_set.h"
#include "shunt/abi.h"
#include "userspace/base/ip_address.h"

namespace shunt {

// Keys of shunt_sources: a service port and a range of addresses.

// By service id. As in the trie, bits behind the prefix mean nothing: keys that
// differ there alone are one key.
struct SourceKeyLess {
  bool operator()(const shunt_source_key& a, const shunt_source_key& b) const;
};

shunt_source_key SourceKeyOf(uint32_t service_id, const Cidr& range);
// The family of the clients that it names, 4 or 6: an IPv6 range that holds
// ::ffff:0:0/96, as ::/8 does, holds IPv4 clients as the trie sees them, and means
// none of them.
uint8_t SourceValueOf(const shunt_source_key& key);
// nullopt for what is no range of addresses: somebody else wrote it.
std::optional<Cidr> RangeOf(const shunt_source_key& key);

// The entries of shunt_sources. They are few, so service ports without any keep
// nothing for them.
class SourceSet {
 public:
  bool Contains(const shunt_source_key& key) const { return keys_.contains(key); }
  void Insert(const shunt_source_key& key) { keys_.insert(key); }
  void Erase(const shunt_source_key& key) { keys_.erase(key); }
  // Those of a service port.
  std::vector<shunt_source_key> Of(uint32_t service_id) const;

 private:
  absl::btree_set<shunt_source_key, SourceKeyLess> keys_;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_SOURCE_KEY_H_
