// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_SERVICE_TABLE_H_
#define SHUNT_DATAPATH_SERVICE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "userspace/datapath/service_record.h"

namespace shunt {

// The service ports that have anything in the maps or should have, by id and by
// name. An id stays with its name, also across restarts; an id that was given
// up is not used again while the process lives, so that whatever still carries
// it (a socket, a counter) is never taken for another service port's.
//
// Belongs to the control thread. Pointers hold until Remove.
class ServiceTable {
 public:
  // Null: unknown.
  ServiceRecord* Find(uint32_t id);
  ServiceRecord* Find(const ServicePortName& name);
  // Finds or makes.
  ServiceRecord& For(const ServicePortName& name);
  // Takes an id that an earlier agent gave to `name`; both are new here.
  ServiceRecord& Adopt(uint32_t id, const ServicePortName& name);
  // Ids up to `id` were in use before: new ones are higher.
  void SkipIds(uint32_t id);
  void Remove(uint32_t id);

  std::vector<ServiceRecord*> All();  // in no order

 private:
  // A record is found by the name that it has: names are not kept twice.
  struct NameHash {
    using is_transparent = void;
    size_t operator()(const ServicePortName& name) const { return absl::HashOf(name); }
    size_t operator()(const ServiceRecord* record) const { return (*this)(record->name); }
  };
  struct SameName {
    using is_transparent = void;
    bool operator()(const ServiceRecord* a, const ServiceRecord* b) const {
      return a->name == b->name;
    }
    bool operator()(const ServiceRecord* a, const ServicePortName& b) const { return a->name == b; }
  };

  absl::flat_hash_map<uint32_t, std::unique_ptr<ServiceRecord>> by_id_;
  absl::flat_hash_set<ServiceRecord*, NameHash, SameName> by_name_;
  uint32_t last_id_ = 0;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_SERVICE_TABLE_H_
