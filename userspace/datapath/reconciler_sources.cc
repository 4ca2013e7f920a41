// SPDX-License-Identifier: Apache-2.0
//
// How a Reconciler writes who may dial what: never open in between.
#include <algorithm>

#include "absl/container/btree_set.h"
#include "userspace/datapath/reconciler.h"

namespace shunt {

// Before any frontend asks for them: nobody who may come in is sent away. But
// not while one is there that had to go and asks for them as well: it would open.
bool Reconciler::AddSources(const ServiceRecord& record) {
  for (const Cidr& range : record.desired->sources) {
    const shunt_source_key key = SourceKeyOf(record.id, range);
    if (sources_.Contains(key)) continue;
    if (failures_.contains(record.id)) return false;
    if (KeepsLeavers(record)) {
      held_.insert(record.id);
      return false;
    }
    if (!Wrote(record.id, maps_.PutSource(key))) return false;
    sources_.Insert(key);
  }
  return true;
}

// While nothing is deleted: whether a frontend that had to go is still there.
bool Reconciler::KeepsLeavers(const ServiceRecord& record) const {
  if (!only_adds_ || record.desired == nullptr) return only_adds_ && record.frontends > 0;
  const auto& desired = record.desired->frontends;
  const auto stay = std::count_if(desired.begin(), desired.end(), [&](const Frontend& frontend) {
    const shunt_frontend* actual = frontends_.Actual(frontend.key);
    return actual != nullptr && actual->owner.service_id == record.id;
  });
  return record.frontends > static_cast<size_t>(stay);
}

std::vector<shunt_source_key> Reconciler::SurplusSources(const ServiceRecord& record) const {
  std::vector<shunt_source_key> surplus = sources_.Of(record.id);
  if (surplus.empty() || record.desired == nullptr) return surplus;
  absl::btree_set<shunt_source_key, SourceKeyLess> wanted;
  for (const Cidr& range : record.desired->sources) wanted.insert(SourceKeyOf(record.id, range));
  std::erase_if(surplus, [&](const shunt_source_key& key) { return wanted.contains(key); });
  return surplus;
}

// A frontend that is to be another service port's still is this one's: nobody may
// be sent away whom it lets in.
bool Reconciler::HasLeavers(const ServiceRecord& record) const {
  return record.frontends > (record.desired ? record.desired->frontends.size() : 0) ||
         KeepsLeavers(record);
}

// Once the frontends are as desired, which may have been open to everybody.
void Reconciler::RemoveSources(const ServiceRecord& record) {
  if (failures_.contains(record.id)) return;
  for (const shunt_source_key& key : SurplusSources(record)) {
    if (Wrote(record.id, maps_.DeleteSource(key))) sources_.Erase(key);
  }
}

}  // namespace shunt
