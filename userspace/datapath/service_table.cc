// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/service_table.h"

#include <algorithm>

namespace shunt {

ServiceRecord* ServiceTable::Find(uint32_t id) {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : it->second.get();
}

ServiceRecord* ServiceTable::Find(const ServicePortName& name) {
  auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : *it;
}

ServiceRecord& ServiceTable::For(const ServicePortName& name) {
  if (ServiceRecord* record = Find(name)) return *record;
  // Wraps only where someone wrote huge ids into the maps; 0 is nobody's id.
  do {
    ++last_id_;
  } while (last_id_ == 0 || by_id_.contains(last_id_));
  return Adopt(last_id_, name);
}

ServiceRecord& ServiceTable::Adopt(uint32_t id, const ServicePortName& name) {
  std::unique_ptr<ServiceRecord>& record = by_id_[id];
  record = std::make_unique<ServiceRecord>();
  record->id = id;
  record->name = name;
  by_name_.insert(record.get());
  return *record;
}

void ServiceTable::SkipIds(uint32_t id) { last_id_ = std::max(last_id_, id); }

void ServiceTable::Remove(uint32_t id) {
  auto it = by_id_.find(id);
  if (it == by_id_.end()) return;
  by_name_.erase(it->second->name);
  by_id_.erase(it);
}

std::vector<ServiceRecord*> ServiceTable::All() {
  std::vector<ServiceRecord*> records;
  records.reserve(by_id_.size());
  for (auto& [id, record] : by_id_) records.push_back(record.get());
  return records;
}

}  // namespace shunt
