// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/inventory.h"

#include <algorithm>
#include <optional>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "shunt/limits.h"
#include "userspace/base/status.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/service_name.h"

namespace shunt {
namespace {

class InventoryTaker {
 public:
  explicit InventoryTaker(const MapStore& maps) : maps_(maps) {}

  absl::StatusOr<Inventory> Take() {
    SHUNT_ASSIGN_OR_RETURN(std::vector<MapStore::ServiceEntry> services, maps_.Services());
    SHUNT_ASSIGN_OR_RETURN(std::vector<MapStore::FrontendEntry> frontends, maps_.Frontends());
    SHUNT_ASSIGN_OR_RETURN(inventory_.sources, maps_.Sources());
    for (const shunt_source_key& source : inventory_.sources) Mention(source.service_id);
    TakeServices(std::move(services));
    TakeBackends();
    TakeFrontends(frontends);
    return std::move(inventory_);
  }

 private:
  void TakeServices(std::vector<MapStore::ServiceEntry> entries) {
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [id, value] : entries) {
      Mention(id);
      std::optional<ServicePortName> name = DecodeServiceName(value);
      const bool trusted = id != kNobody && name.has_value() && names_.insert(*name).second;
      if (trusted) protocols_[id] = name->protocol;
      inventory_.services.push_back({.id = id, .name = trusted ? *name : UnknownServiceName(id)});
    }
  }

  void TakeBackends() {
    for (uint32_t id = 0; id < maps_.backends().size(); ++id) {
      const shunt_backend& backend = maps_.backends()[id];
      if (backend.state == SHUNT_BACKEND_FREE) continue;
      Mention(backend.service_id);
      const uint32_t owner = IsTrusted(backend) ? backend.service_id : kNobody;
      inventory_.backends.push_back({.id = id, .owner = owner});
    }
  }

  bool IsTrusted(const shunt_backend& backend) const {
    auto protocol = protocols_.find(backend.service_id);
    return protocol != protocols_.end() && protocol->second == backend.protocol &&
           backend.state == SHUNT_BACKEND_SERVING && backend.generation != 0 &&
           backend.on_this_node <= 1;
  }

  // A range that overlaps another one is only trusted where both are one range
  // of one service port. Of two that do not get along the lower one stays.
  void TakeFrontends(const std::vector<MapStore::FrontendEntry>& entries) {
    absl::btree_map<RangeOfService, bool> ranges;
    for (const auto& [key, value] : entries) {
      Mention(value.owner.service_id);
      if (IsIntact(key, value)) ranges[RangeOf(key, value)] = true;
    }
    RejectOverlaps(ranges);
    for (const auto& [key, value] : entries) {
      const bool trusted = IsIntact(key, value) && ranges[RangeOf(key, value)];
      inventory_.frontends.push_back(
          {.key = FrontendKey::FromAbi(key), .value = trusted ? value : shunt_frontend{}});
    }
    std::sort(inventory_.frontends.begin(), inventory_.frontends.end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
  }

  struct RangeOfService {
    uint32_t base, count, service_id;
    Family family;
    friend auto operator<=>(const RangeOfService&, const RangeOfService&) = default;
  };

  static RangeOfService RangeOf(const shunt_frontend_key& key, const shunt_frontend& value) {
    return {value.slots.base, value.slots.count, value.owner.service_id,
            ToIpAddress(key.address).family()};
  }

  // Looks at everything but the slots.
  bool IsIntact(const shunt_frontend_key& key, const shunt_frontend& value) const {
    return protocols_.contains(value.owner.service_id) &&
           value.owner.tag == shunt_frontend_tag(&key) &&
           value.slots.count <= SHUNT_MAX_SLOTS_PER_LIST &&
           uint64_t{value.slots.base} + value.slots.count <= maps_.slots().size();
  }

  void RejectOverlaps(absl::btree_map<RangeOfService, bool>& ranges) const {
    uint64_t taken = 0;  // slots below are somebody's
    for (auto& [range, trusted] : ranges) {
      if (range.count == 0) continue;
      trusted = range.base >= taken && HoldsList(range);
      if (trusted) taken = uint64_t{range.base} + range.count;
    }
  }

  // Each slot names a live backend of this service port and family.
  bool HoldsList(const RangeOfService& range) const {
    const auto slots = maps_.slots().subspan(range.base, range.count);
    return std::all_of(slots.begin(), slots.end(), [&](const shunt_backend_ref& ref) {
      if (ref.id >= maps_.backends().size()) return false;
      const shunt_backend& backend = maps_.backends()[ref.id];
      return IsTrusted(backend) && backend.generation == ref.generation &&
             backend.service_id == range.service_id &&
             ToIpAddress(backend.address).family() == range.family;
    });
  }

  void Mention(uint32_t service_id) {
    inventory_.highest_service_id = std::max(inventory_.highest_service_id, service_id);
  }

  const MapStore& maps_;
  Inventory inventory_;
  absl::flat_hash_set<ServicePortName> names_;
  absl::flat_hash_map<uint32_t, shunt_protocol> protocols_;  // of service ports with a good name
};

}  // namespace

absl::StatusOr<Inventory> TakeInventory(const MapStore& maps) {
  return InventoryTaker(maps).Take();
}

}  // namespace shunt
