// SPDX-License-Identifier: Apache-2.0
//
// How a Reconciler writes who may dial what: never open in between.
#include "absl/container/btree_set.h"
#include "userspace/datapath/reconciler.h"

namespace shunt {

// Before any frontend asks for them: nobody who may come in is sent away. But
// not while one is there that had to go and asks for them as well: it would open.
bool Reconciler::AddSources(const ServiceRecord& record) {
  for (const Cidr& range : record.desired->sources) {
    const shunt_source_key key = SourceKeyOf(record.id, range);
    if (sources_.Contains(key)) continue;
    if (failures_.contains(record.id) || !Wrote(record.id, maps_.PutSource(key))) return false;
    sources_.Insert(key);
  }
  return true;
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
bool Reconciler::HasLeavers(const ServiceRecord& record) {
  return record.frontends > (record.desired ? record.desired->frontends.size() : 0);
}

// Once the frontends are as desired, which may have been open to everybody.
void Reconciler::RemoveSources(const ServiceRecord& record) {
  if (failures_.contains(record.id)) return;
  for (const shunt_source_key& key : SurplusSources(record)) {
    if (Wrote(record.id, maps_.DeleteSource(key))) sources_.Erase(key);
  }
}

}  // namespace shunt
