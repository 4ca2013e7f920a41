// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/state_from_maps.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "userspace/base/status.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/service_name.h"
#include "userspace/datapath/source_key.h"

namespace shunt {
namespace {

// One service port as it is found, before its lists have names.
struct FoundService {
  using Entry = std::pair<FrontendKey, shunt_frontend>;

  std::vector<Entry> frontends;
  absl::btree_map<uint32_t, Backend> backends;  // by id
  std::vector<Cidr> sources;
};

class StateReader {
 public:
  explicit StateReader(const MapStore& maps) : maps_(maps) {}

  absl::StatusOr<DatapathState> Read() {
    SHUNT_ASSIGN_OR_RETURN(const auto services, maps_.Services());
    SHUNT_ASSIGN_OR_RETURN(const auto frontends, maps_.Frontends());
    SHUNT_ASSIGN_OR_RETURN(const auto sources, maps_.Sources());
    for (const auto& [id, value] : services) TakeName(id, value);
    for (const shunt_source_key& source : sources) {
      if (const std::optional<Cidr> range = RangeOf(source)) {
        found_[source.service_id].sources.push_back(*range);
      }
    }
    for (const auto& [key, value] : frontends) {
      found_[value.owner.service_id].frontends.emplace_back(FrontendKey::FromAbi(key), value);
    }
    TakeBackends();
    return State();
  }

 private:
  void TakeName(uint32_t id, const shunt_service& value) {
    found_.try_emplace(id);
    std::optional<ServicePortName> name = DecodeServiceName(value);
    if (name.has_value() && taken_names_.insert(*name).second) names_[id] = *name;
  }

  void TakeBackends() {
    for (uint32_t id = 0; id < maps_.backends().size(); ++id) {
      const shunt_backend& backend = maps_.backends()[id];
      if (backend.state == SHUNT_BACKEND_FREE) continue;
      found_[backend.service_id].backends[id] = {.address = ToIpAddress(backend.address),
                                                 .port = backend.port,
                                                 .on_this_node = backend.on_this_node != 0};
    }
  }

  DatapathState State() {
    DatapathState state;
    for (auto& [id, service] : found_) {
      auto name = names_.find(id);
      state[name == names_.end() ? UnknownServiceName(id) : name->second] = StateOf(service);
    }
    return state;
  }

  ServicePortStatePtr StateOf(FoundService& service) {
    auto state = std::make_shared<ServicePortState>();
    for (const auto& [key, value] : service.frontends) {
      const Frontend frontend = FrontendOf(key, value);
      state->frontends.push_back(frontend);
      state->affinity_timeout_s = value.affinity_timeout_s;
      state->ends_tcp = value.flags & SHUNT_FRONTEND_END_TCP;
      MarkBackends(value.slots, frontend.list, service);
    }
    std::sort(state->frontends.begin(), state->frontends.end());
    state->backends = WithoutDuplicates(service);
    state->sources = std::move(service.sources);
    std::sort(state->sources.begin(), state->sources.end());
    return state;
  }

  static Frontend FrontendOf(const FrontendKey& key, const shunt_frontend& value) {
    return {
        .key = key,
        .kind = value.kind,
        .list = value.flags & SHUNT_FRONTEND_LOCAL ? BackendList::kLocal : BackendList::kCluster,
        .index_rule = value.index_rule,
        .when_empty = value.when_empty,
        .checks_source = (value.flags & SHUNT_FRONTEND_CHECK_SOURCE) != 0,
        .host_only = (value.flags & SHUNT_FRONTEND_HOST_ONLY) != 0};
  }

  void MarkBackends(const shunt_range& range, BackendList list, FoundService& service) const {
    const size_t size = maps_.slots().size();
    const size_t base = std::min<size_t>(range.base, size);
    for (const shunt_backend_ref& ref :
         maps_.slots().subspan(base, std::min<size_t>(range.count, size - base))) {
      auto backend = service.backends.find(ref.id);
      if (backend == service.backends.end()) continue;
      if (maps_.backends()[ref.id].generation != ref.generation) continue;
      (list == BackendList::kCluster ? backend->second.in_cluster_list
                                     : backend->second.in_local_list) = true;
    }
  }

  // Two ids of one address only stand there where someone else wrote them.
  static std::vector<Backend> WithoutDuplicates(const FoundService& service) {
    absl::btree_map<std::pair<IpAddress, uint16_t>, Backend> merged;
    for (const auto& [id, backend] : service.backends) {
      Backend& one = merged.try_emplace({backend.address, backend.port}, backend).first->second;
      one.in_cluster_list |= backend.in_cluster_list;
      one.in_local_list |= backend.in_local_list;
    }
    std::vector<Backend> backends;
    for (const auto& [address, backend] : merged) backends.push_back(backend);
    return backends;
  }

  const MapStore& maps_;
  absl::flat_hash_map<uint32_t, FoundService> found_;  // by service id
  absl::flat_hash_map<uint32_t, ServicePortName> names_;
  absl::flat_hash_set<ServicePortName> taken_names_;
};

}  // namespace

absl::StatusOr<DatapathState> StateFromMaps(const MapStore& maps) {
  return StateReader(maps).Read();
}

}  // namespace shunt
