// SPDX-License-Identifier: Apache-2.0
//
// How a Reconciler takes over what an earlier agent left.
#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "userspace/base/status.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/backend_match.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/datapath/service_name.h"
#include "userspace/datapath/source_key.h"

namespace shunt {

absl::Status Reconciler::Adopt() {
  // The agent that died may have let go of slots and ids just before: programs
  // may still hold what looks free now.
  adoption_ = grace_period_.Begin();
  SHUNT_ASSIGN_OR_RETURN(const Inventory inventory, TakeInventory(maps_));
  for (const Inventory::Service& service : inventory.services) {
    services_.Adopt(service.id, service.name).is_named = true;
  }
  services_.SkipIds(inventory.highest_service_id);
  AdoptBackends(inventory);
  AdoptFrontends(inventory);
  AdoptSources(inventory);
  AdoptDesired(inventory);
  only_adds_ = !inventory.frontends.empty();
  return absl::OkStatus();
}

ServiceRecord& Reconciler::AdoptedOwner(uint32_t service_id) {
  if (ServiceRecord* record = services_.Find(service_id)) return *record;
  return services_.Adopt(service_id, UnknownServiceName(service_id));
}

void Reconciler::AdoptBackends(const Inventory& inventory) {
  for (const Inventory::LiveBackend& backend : inventory.backends) {
    backends_.Adopt(backend.id);
    AdoptedOwner(backend.owner).backends.push_back(backend.id);
  }
  for (ServiceRecord* record : services_.All()) SortByAddress(record->backends, backends_);
}

void Reconciler::AdoptFrontends(const Inventory& inventory) {
  for (const Inventory::LiveFrontend& frontend : inventory.frontends) {
    frontends_.Adopt(frontend.key, frontend.value);
    ServiceRecord& record = AdoptedOwner(frontend.value.owner.service_id);
    ++record.frontends;
    record.ends_tcp |= (frontend.value.flags & SHUNT_FRONTEND_END_TCP) != 0;
    if (frontend.value.slots.count > 0) ++AdoptList(record, frontend.value.slots).frontends;
  }
}

void Reconciler::AdoptSources(const Inventory& inventory) {
  for (const shunt_source_key& source : inventory.sources) {
    AdoptedOwner(source.service_id);
    sources_.Insert(source);
  }
}

SlotList& Reconciler::AdoptList(ServiceRecord& record, const shunt_range& range) {
  if (SlotList* list = record.FindList(range)) return *list;
  arena_.Reserve(range);  // free: the inventory trusts no two lists that overlap
  const auto slots = maps_.slots().subspan(range.base, range.count);
  for (const shunt_backend_ref& ref : slots) backends_.Enlist(ref.id);
  record.lists.push_back({.base = range.base, .refs = {slots.begin(), slots.end()}});
  return record.lists.back();
}

// Until told otherwise, what is there is what is wanted.
void Reconciler::AdoptDesired(const Inventory& inventory) {
  absl::flat_hash_map<uint32_t, std::shared_ptr<ServicePortState>> states;
  for (ServiceRecord* record : services_.All()) {
    auto state = std::make_shared<ServicePortState>();
    for (uint32_t id : record->backends) {
      const shunt_backend& backend = backends_.Get(id);
      state->backends.push_back({.address = ToIpAddress(backend.address), .port = backend.port});
    }
    for (const shunt_source_key& source : sources_.Of(record->id)) {
      if (const std::optional<Cidr> range = RangeOf(source)) state->sources.push_back(*range);
    }
    record->desired = state;
    states[record->id] = std::move(state);
  }
  for (const Inventory::LiveFrontend& frontend : inventory.frontends) {
    states[frontend.value.owner.service_id]->frontends.push_back({.key = frontend.key});
  }
}

}  // namespace shunt
