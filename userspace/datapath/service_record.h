// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_SERVICE_RECORD_H_
#define SHUNT_DATAPATH_SERVICE_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "shunt/abi.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// Which list of its service port a frontend chooses from: the backends of its
// own family in its own list. A service port has at most four.
using ListRole = uint8_t;
inline constexpr ListRole kListRoles = 4;

inline ListRole RoleOf(Family family, BackendList list) {
  return static_cast<ListRole>((family == Family::kIpv6 ? 2 : 0) +
                               (list == BackendList::kLocal ? 1 : 0));
}
inline ListRole RoleOf(const Frontend& frontend) {
  return RoleOf(frontend.key.address.family(), frontend.list);
}

// A list of backends that stands in shunt_slots, complete. It never changes: a
// list that differs is another one, in a range of its own.
struct SlotList {
  uint32_t base = 0;
  std::vector<shunt_backend_ref> refs;  // sorted by backend id, never empty
  size_t frontends = 0;                 // entries of shunt_frontends that lead here
  uint8_t roles = 0;                    // bit r: it is what role r wants now

  shunt_range range() const { return {.base = base, .count = static_cast<uint32_t>(refs.size())}; }
};

// One service port: what it should be, and what of it is in the maps.
struct ServiceRecord {
  uint32_t id = 0;
  ServicePortName name;
  bool is_named = false;        // shunt_services has an entry for its id
  bool ends_tcp = false;        // a frontend says so, or did once: a socket may still do
  ServicePortStatePtr desired;  // null: gone
  // Its live ids in shunt_backends, in order of their address, port and place: those
  // it wants, and others as long as a list names them.
  std::vector<uint32_t> backends;
  std::vector<SlotList> lists;
  size_t frontends = 0;  // entries of shunt_frontends that have its id

  SlotList* FindList(const shunt_range& range) {
    for (SlotList& list : lists) {
      if (list.base == range.base && list.refs.size() == range.count) return &list;
    }
    return nullptr;
  }
  SlotList* ListFor(ListRole role) {
    for (SlotList& list : lists) {
      if (list.roles & (1u << role)) return &list;
    }
    return nullptr;
  }
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_SERVICE_RECORD_H_
