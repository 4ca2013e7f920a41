// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_AFFINITY_CLIENTS_H_
#define SHUNT_DATAPATH_AFFINITY_CLIENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/datapath/inspect.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// A client that stays with a backend by sessionAffinity ClientIP, with the names
// of both. The map may also hold what counts no more: an entry that is older than
// its timeout, whose backend left the list, or whose service port is gone.
struct AffinityClient {
  ServicePortName service;
  uint64_t netns_cookie = 0;       // 0: the client is `address`
  IpAddress address;               // else its family's zero
  std::optional<Backend> backend;  // nullopt: it is gone
  double idle_s = 0;               // since the client's last new connection
  uint32_t timeout_s = 0;          // 0: the service port has no affinity (any more)
};

// Gives names to what ReadAffinity() found. Entries of service ports that are
// gone are left out. Sorted by service port and client. Pure.
absl::StatusOr<std::vector<AffinityClient>> NameAffinity(const std::vector<AffinityEntry>& entries,
                                                         const MapStore& maps);

// What is pinned in `bpffs`. Fails like OpenPinnedMaps().
absl::StatusOr<std::vector<AffinityClient>> ReadAffinityClients(const std::string& bpffs);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_AFFINITY_CLIENTS_H_
