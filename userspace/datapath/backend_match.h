// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_BACKEND_MATCH_H_
#define SHUNT_DATAPATH_BACKEND_MATCH_H_

#include <array>
#include <cstdint>
#include <vector>

#include "userspace/datapath/backend_table.h"
#include "userspace/datapath/service_record.h"

namespace shunt {

// The ids that a service port has, held against the backends that it wants.
// Points into the record's desired state.
struct BackendMatch {
  std::vector<const Backend*> wanted_as;  // for each of record.backends; null: not wanted
  std::vector<const Backend*> missing;    // wanted, without an id
};

BackendMatch MatchBackends(const ServiceRecord& record, const BackendTable& table);

// Sorts ids as ServiceRecord::backends is: by address, port, place, id.
void SortByAddress(std::vector<uint32_t>& ids, const BackendTable& table);
// Adds `ids`, in any order, and keeps the order.
void MergeByAddress(std::vector<uint32_t>& sorted, std::vector<uint32_t> ids,
                    const BackendTable& table);

// What the slots of each role have to hold: sorted by backend id, so that a
// program can find a backend in a list by binary search. A wanted backend
// without an id is left out.
using WantedLists = std::array<std::vector<shunt_backend_ref>, kListRoles>;
WantedLists ListsOf(const ServiceRecord& record, const BackendTable& table);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_BACKEND_MATCH_H_
