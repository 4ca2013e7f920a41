// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/affinity_clients.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "userspace/base/status.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/service_name.h"

namespace shunt {
namespace {

// What the maps say of the service ports and backends that an entry points to.
class Names {
 public:
  static absl::StatusOr<Names> Read(const MapStore& maps) {
    Names names(maps);
    SHUNT_ASSIGN_OR_RETURN(names.services_, ReadServiceNames(maps));
    SHUNT_ASSIGN_OR_RETURN(const auto frontends, maps.Frontends());
    for (const auto& [key, value] : frontends) {
      names.timeouts_[value.owner.service_id] = value.affinity_timeout_s;
    }
    return names;
  }

  // nullopt: the service port is gone.
  std::optional<AffinityClient> ClientOf(const AffinityEntry& entry) const {
    const auto service = services_.find(entry.service_id);
    if (service == services_.end()) return std::nullopt;
    const auto timeout = timeouts_.find(entry.service_id);
    return AffinityClient{.service = service->second,
                          .netns_cookie = entry.netns_cookie,
                          .address = entry.client,
                          .backend = BackendOf(entry),
                          .idle_s = entry.idle_s,
                          .timeout_s = timeout == timeouts_.end() ? 0 : timeout->second};
  }

 private:
  explicit Names(const MapStore& maps) : maps_(maps) {}

  std::optional<Backend> BackendOf(const AffinityEntry& entry) const {
    if (entry.backend.id >= maps_.backends().size()) return std::nullopt;
    const shunt_backend& backend = maps_.backends()[entry.backend.id];
    if (backend.state == SHUNT_BACKEND_FREE || backend.service_id != entry.service_id ||
        backend.generation != entry.backend.generation) {
      return std::nullopt;
    }
    return Backend{.address = ToIpAddress(backend.address), .port = backend.port};
  }

  const MapStore& maps_;
  ServiceNames services_;
  absl::flat_hash_map<uint32_t, uint32_t> timeouts_;
};

}  // namespace

absl::StatusOr<std::vector<AffinityClient>> NameAffinity(const std::vector<AffinityEntry>& entries,
                                                         const MapStore& maps) {
  SHUNT_ASSIGN_OR_RETURN(const Names names, Names::Read(maps));
  std::vector<AffinityClient> clients;
  clients.reserve(entries.size());
  for (const AffinityEntry& entry : entries) {
    if (std::optional<AffinityClient> client = names.ClientOf(entry)) {
      clients.push_back(*std::move(client));
    }
  }
  std::sort(clients.begin(), clients.end(), [](const AffinityClient& a, const AffinityClient& b) {
    return std::tie(a.service, a.netns_cookie, a.address) <
           std::tie(b.service, b.netns_cookie, b.address);
  });
  return clients;
}

absl::StatusOr<std::vector<AffinityClient>> ReadAffinityClients(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(const std::unique_ptr<MapStore> maps, OpenPinnedMaps(bpffs));
  SHUNT_ASSIGN_OR_RETURN(const std::vector<AffinityEntry> entries, ReadAffinity(bpffs));
  return NameAffinity(entries, *maps);
}

}  // namespace shunt
