// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_INVENTORY_H_
#define SHUNT_DATAPATH_INVENTORY_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/datapath/map_store.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// Who owns what is in the maps but does not hang together.
inline constexpr uint32_t kNobody = 0;

// What an earlier agent left, all of it, each thing with its owner. Trusted is
// only what hangs together: a service port with a name that nobody else has, a
// live backend of such a service port, and a frontend whose tag fits its key and
// whose slots are in bounds, are no other service port's, and name live backends
// of its own service port and family. The rest is kNobody's.
struct Inventory {
  struct Service {
    uint32_t id;
    ServicePortName name;  // UnknownServiceName() where it is not trusted
  };
  struct LiveBackend {
    uint32_t id;
    uint32_t owner;
  };
  struct LiveFrontend {
    FrontendKey key;
    shunt_frontend value;  // all zero where it is not trusted, so owned by kNobody
  };

  std::vector<Service> services;
  std::vector<shunt_source_key> sources;
  std::vector<LiveBackend> backends;    // by id
  std::vector<LiveFrontend> frontends;  // by key
  uint32_t highest_service_id = 0;      // that is mentioned anywhere
};

// Reads all maps. Whatever they hold, it neither fails for it nor crashes.
absl::StatusOr<Inventory> TakeInventory(const MapStore& maps);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_INVENTORY_H_
