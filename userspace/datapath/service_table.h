// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_SERVICE_TABLE_H_
#define SHUNT_DATAPATH_SERVICE_TABLE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
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
  absl::flat_hash_map<uint32_t, std::unique_ptr<ServiceRecord>> by_id_;
  absl::flat_hash_map<ServicePortName, ServiceRecord*> by_name_;
  uint32_t last_id_ = 0;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_SERVICE_TABLE_H_
