// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/reconciler.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "shunt/limits.h"
#include "userspace/base/status.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/backend_match.h"
#include "userspace/datapath/service_name.h"

namespace shunt {
namespace {

bool SameRefs(const std::vector<shunt_backend_ref>& a, const std::vector<shunt_backend_ref>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.id == y.id && x.generation == y.generation;
  });
}

uint8_t FlagsOf(const Frontend& frontend, const ServiceRecord& record) {
  const bool ends_tcp = record.desired->ends_tcp && record.name.protocol == SHUNT_TCP;
  return (frontend.list == BackendList::kLocal ? SHUNT_FRONTEND_LOCAL : 0) |
         (frontend.checks_source ? SHUNT_FRONTEND_CHECK_SOURCE : 0) |
         (frontend.host_only ? SHUNT_FRONTEND_HOST_ONLY : 0) |
         (ends_tcp ? SHUNT_FRONTEND_END_TCP : 0);
}

uint8_t BitOf(ListRole role) { return static_cast<uint8_t>(1u << role); }

}  // namespace

std::string PendingService::ToString() const {
  return absl::StrCat(name.ToString(), ": ", reason.message());
}

Reconciler::Reconciler(MapStore& maps, GracePeriod& grace_period)
    : maps_(maps),
      grace_period_(grace_period),
      arena_(static_cast<uint32_t>(maps.slot_limit()), grace_period),
      backends_(maps, grace_period) {}

Reconciler::Result Reconciler::Apply(const StateChanges& changes) {
  writes_ = 0;
  leaves_stale_sockets_ = false;
  for (const auto& [id, reason] : std::exchange(failures_, {})) touched_.insert(id);
  touched_.merge(std::exchange(held_, {}));
  TakeOver(changes);
  if (!touched_.empty() && adoption_.has_value()) {
    grace_period_.WaitFor(*std::exchange(adoption_, std::nullopt));
  }

  only_adds_ &= !changes.complete;
  if (!only_adds_) DeleteFrontends();
  Records ready = TouchedAndDesired();
  std::erase_if(ready, [&](ServiceRecord* record) { return !WriteName(*record); });
  std::erase_if(ready, [&](ServiceRecord* record) { return !UpsertBackends(*record); });
  std::erase_if(ready, [&](ServiceRecord* record) { return !AddSources(*record); });
  std::erase_if(ready, [&](ServiceRecord* record) { return !FillLists(*record); });
  PutFrontends(ready);
  // Deleting and replacing frontends has touched those that they left as well.
  for (uint32_t id : touched_) {
    ServiceRecord* record = services_.Find(id);
    if (record == nullptr) continue;
    if (!HasLeavers(*record)) RemoveSources(*record);
    ReleaseLists(*record);
    FreeBackends(*record);
  }
  RemoveServices();
  BeginGracePeriod();
  touched_.clear();
  return TakeResult();
}

// A frontend may go from one service port to another: all leave before any come,
// so that it is one that stays, and gets another value in one write.
void Reconciler::TakeOver(const StateChanges& changes) {
  if (changes.complete) {
    for (ServiceRecord* record : services_.All()) {
      if (!changes.changed.contains(record->name)) Change(*record, nullptr);
    }
  }
  for (const auto& [name, desired] : changes.changed) {
    ServiceRecord* record = desired ? &services_.For(name) : services_.Find(name);
    if (record != nullptr) Change(*record, desired);
  }
  for (const auto& [name, desired] : changes.changed) {
    if (desired == nullptr) continue;
    for (const Frontend& frontend : desired->frontends) frontends_.Keep(frontend.key);
  }
}

void Reconciler::Change(ServiceRecord& record, ServicePortStatePtr desired) {
  if (record.desired == desired && desired != nullptr) return;
  assert(desired == nullptr || std::ranges::is_sorted(desired->backends));
  if (record.desired != nullptr) {
    for (const Frontend& frontend : record.desired->frontends) frontends_.Unwant(frontend.key);
  }
  record.desired = std::move(desired);
  touched_.insert(record.id);
}

Reconciler::Records Reconciler::TouchedAndDesired() {
  Records records;
  for (uint32_t id : touched_) {
    ServiceRecord* record = services_.Find(id);
    if (record != nullptr && record->desired != nullptr) records.push_back(record);
  }
  return records;
}

// Step 1.
void Reconciler::DeleteFrontends() {
  frontends_.FlushDeletes([&](const FrontendKey& key, const shunt_frontend& actual) {
    if (!Wrote(actual.owner.service_id, maps_.DeleteFrontend(key.ToAbi()))) return false;
    Leave(actual);
    return true;
  });
}

// Step 2, with the name first: after a crash, what has an owner has a name.
// It never changes, so it is written once.
bool Reconciler::WriteName(ServiceRecord& record) {
  if (record.is_named) return true;
  const absl::StatusOr<shunt_service> value = EncodeServiceName(record.name);
  record.is_named =
      Wrote(record.id, value.ok() ? maps_.PutService(record.id, *value) : value.status());
  return record.is_named;
}

bool Reconciler::UpsertBackends(ServiceRecord& record) {
  std::vector<uint32_t> added;
  absl::Status status;
  for (const Backend* backend : MatchBackends(record, backends_).missing) {
    const absl::StatusOr<uint32_t> id = backends_.Add({.address = ToAbi(backend->address),
                                                       .service_id = record.id,
                                                       .port = backend->port,
                                                       .protocol = record.name.protocol,
                                                       .state = SHUNT_BACKEND_SERVING,
                                                       .on_this_node = backend->on_this_node});
    status = id.status();
    if (!Wrote(record.id, status)) break;
    added.push_back(*id);
  }
  if (!added.empty()) MergeByAddress(record.backends, std::move(added), backends_);
  return status.ok();
}

// Step 3.
bool Reconciler::FillLists(ServiceRecord& record) {
  uint8_t used = 0;
  for (const Frontend& frontend : record.desired->frontends) {
    if (frontend.kind != SHUNT_OTHER_PORTS) used |= BitOf(RoleOf(frontend));
  }
  WantedLists wanted = ListsOf(record, backends_);
  for (ListRole role = 0; role < kListRoles; ++role) {
    if ((used & BitOf(role)) == 0) wanted[role].clear();
    if (!FillList(record, role, std::move(wanted[role]))) return false;
  }
  return true;
}

bool Reconciler::FillList(ServiceRecord& record, ListRole role,
                          std::vector<shunt_backend_ref> refs) {
  SlotList* list = nullptr;
  if (!refs.empty()) {
    list = FindFilled(record, role, refs);
    if (list == nullptr) {
      const absl::StatusOr<SlotList*> fresh = FillFresh(record, std::move(refs));
      if (!Wrote(record.id, fresh.status())) return false;
      list = *fresh;
    }
  }
  for (SlotList& other : record.lists) other.roles &= ~BitOf(role);
  if (list != nullptr) list->roles |= BitOf(role);
  return true;
}

// An unchanged list keeps its range. After a restart nobody knows which list
// had which role; then one that a frontend of this role leads to will do. Two
// roles never share a list, or the maps would not show that there are two.
SlotList* Reconciler::FindFilled(ServiceRecord& record, ListRole role,
                                 const std::vector<shunt_backend_ref>& refs) {
  SlotList* list = record.ListFor(role);
  if (list != nullptr && SameRefs(list->refs, refs)) return list;
  for (const Frontend& frontend : record.desired->frontends) {
    if (RoleOf(frontend) != role) continue;
    const shunt_frontend* actual = frontends_.Actual(frontend.key);
    if (actual == nullptr) continue;
    list = record.FindList(actual->slots);
    if (list != nullptr && list->roles == 0 && SameRefs(list->refs, refs)) return list;
  }
  return nullptr;
}

absl::StatusOr<SlotList*> Reconciler::FillFresh(ServiceRecord& record,
                                                std::vector<shunt_backend_ref> refs) {
  if (refs.size() > SHUNT_MAX_SLOTS_PER_LIST) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a list of ", refs.size(), " backends: no more than ",
                     SHUNT_MAX_SLOTS_PER_LIST, " have room in one"));
  }
  SHUNT_ASSIGN_OR_RETURN(const shunt_range range, arena_.Allocate(refs.size()));
  if (absl::Status status = maps_.PutSlots(range.base, refs); !status.ok()) {
    arena_.ReturnUnused(range);
    return status;
  }
  for (const shunt_backend_ref& ref : refs) backends_.Enlist(ref.id);
  record.lists.push_back({.base = range.base, .refs = std::move(refs)});
  return &record.lists.back();
}

// Step 4, the commit: each of these writes moves the traffic of one frontend.
// One that is new to its service port and checks the source waits until no
// sources are left that have to go: it never was open to them.
void Reconciler::PutFrontends(const Records& ready) {
  for (ServiceRecord* record : ready) {
    for (const Frontend& frontend : record->desired->frontends) {
      frontends_.Want(frontend.key, ValueOf(*record, frontend));
    }
  }
  absl::btree_set<uint32_t> waiting;
  frontends_.FlushPuts([&](const auto& key, const auto* actual, const auto& desired) {
    const uint32_t id = desired.owner.service_id;
    const bool is_new = actual == nullptr || actual->owner.service_id != id;
    if (is_new && (desired.flags & SHUNT_FRONTEND_CHECK_SOURCE) != 0 &&
        !SurplusSources(*services_.Find(id)).empty()) {
      waiting.insert(id);
      return false;
    }
    return PutFrontend(key, actual, desired);
  });
  if (waiting.empty()) return;
  for (uint32_t id : waiting) RemoveSources(*services_.Find(id));
  frontends_.FlushPuts([&](const auto& key, const auto* actual, const auto& desired) {
    return !failures_.contains(desired.owner.service_id) && PutFrontend(key, actual, desired);
  });
}

bool Reconciler::PutFrontend(const FrontendKey& key, const shunt_frontend* actual,
                             const shunt_frontend& desired) {
  if (!Wrote(desired.owner.service_id, maps_.PutFrontend(key.ToAbi(), desired))) return false;
  Enter(desired);
  if (actual != nullptr) Leave(*actual);
  return true;
}

shunt_frontend Reconciler::ValueOf(ServiceRecord& record, const Frontend& frontend) {
  const shunt_frontend_key key = frontend.key.ToAbi();
  const SlotList* list =
      frontend.kind == SHUNT_OTHER_PORTS ? nullptr : record.ListFor(RoleOf(frontend));
  return {.owner = {.service_id = record.id, .tag = shunt_frontend_tag(&key)},
          .slots = list != nullptr ? list->range() : shunt_range{},
          .affinity_timeout_s = record.desired->affinity_timeout_s,
          .index_rule = frontend.index_rule,
          .when_empty = frontend.when_empty,
          .kind = frontend.kind,
          .flags = FlagsOf(frontend, record)};
}

// Step 5.
void Reconciler::ReleaseLists(ServiceRecord& record) {
  std::erase_if(record.lists, [&](const SlotList& list) {
    // A service port that is gone wants no list.
    if (list.frontends > 0 || (list.roles != 0 && record.desired != nullptr)) return false;
    for (const shunt_backend_ref& ref : list.refs) backends_.Delist(ref.id);
    arena_.Release(list.range());
    return true;
  });
}

// Step 6.
void Reconciler::FreeBackends(ServiceRecord& record) {
  const BackendMatch match = MatchBackends(record, backends_);
  std::vector<uint32_t> kept;
  kept.reserve(record.backends.size());
  for (size_t i = 0; i < record.backends.size(); ++i) {
    const uint32_t id = record.backends[i];
    const bool needed = match.wanted_as[i] != nullptr || backends_.lists(id) > 0;
    if (needed || !Wrote(record.id, backends_.Free(id))) {
      kept.push_back(id);
    } else if (backends_.Get(id).protocol == SHUNT_UDP || record.ends_tcp) {
      leaves_stale_sockets_ = true;
    }
  }
  record.backends = std::move(kept);
}

// The name goes last, as it came first.
void Reconciler::RemoveServices() {
  for (uint32_t id : touched_) {
    const ServiceRecord* record = services_.Find(id);
    if (record == nullptr || record->desired != nullptr) continue;
    if (record->frontends > 0 || !record->backends.empty()) continue;
    if (!sources_.Of(id).empty()) continue;
    if (!record->is_named || Wrote(id, maps_.DeleteService(id))) services_.Remove(id);
  }
}

// Once for all that this Apply let go, and nobody waits for it here.
void Reconciler::BeginGracePeriod() {
  if (!arena_.HasUnsealed() && !backends_.HasUnsealed()) return;
  const uint64_t ticket = grace_period_.Begin();
  arena_.Seal(ticket);
  backends_.Seal(ticket);
}

void Reconciler::Enter(const shunt_frontend& value) {
  ServiceRecord* record = services_.Find(value.owner.service_id);
  ++record->frontends;
  record->ends_tcp |= (value.flags & SHUNT_FRONTEND_END_TCP) != 0;
  if (SlotList* list = record->FindList(value.slots)) ++list->frontends;
}

void Reconciler::Leave(const shunt_frontend& value) {
  ServiceRecord* record = services_.Find(value.owner.service_id);
  --record->frontends;
  if (SlotList* list = record->FindList(value.slots)) --list->frontends;
  touched_.insert(record->id);
}

bool Reconciler::Wrote(uint32_t service_id, const absl::Status& status) {
  if (status.ok()) {
    ++writes_;
  } else {
    Fail(service_id, status);
  }
  return status.ok();
}

// The first reason is the one that explains the others.
void Reconciler::Fail(uint32_t service_id, const absl::Status& status) {
  failures_.try_emplace(service_id, status);
}

Reconciler::Result Reconciler::TakeResult() {
  Result result = {.writes = writes_,
                   .pending = failures_.size(),
                   .failures = {},
                   .leaves_stale_sockets = leaves_stale_sockets_};
  for (const auto& [id, reason] : failures_) {
    result.failures.push_back({.name = services_.Find(id)->name, .reason = reason});
  }
  return result;
}

}  // namespace shunt
