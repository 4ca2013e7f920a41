// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/backend_match.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <tuple>
#include <utility>

namespace shunt {
namespace {

// By address, port and place: <0, 0, >0. Whoever moves to another node under its
// old address is somebody else.
int Compare(const shunt_backend& actual, const Backend& wanted) {
  const int order = std::memcmp(actual.address.bytes, wanted.address.bytes().data(),
                                sizeof(actual.address.bytes));
  if (order != 0) return order;
  if (actual.port != wanted.port) return int{actual.port} - int{wanted.port};
  return int{actual.on_this_node} - int{wanted.on_this_node};
}

bool ByAddress(const BackendTable& table, uint32_t a, uint32_t b) {
  const shunt_backend& left = table.Get(a);
  const shunt_backend& right = table.Get(b);
  const int order =
      std::memcmp(left.address.bytes, right.address.bytes, sizeof(left.address.bytes));
  if (order != 0) return order < 0;
  return std::tuple(left.port, left.on_this_node, a) <
         std::tuple(right.port, right.on_this_node, b);
}

}  // namespace

BackendMatch MatchBackends(const ServiceRecord& record, const BackendTable& table) {
  BackendMatch match;
  match.wanted_as.reserve(record.backends.size());
  const std::vector<Backend> nothing;
  const std::vector<Backend>& wanted = record.desired ? record.desired->backends : nothing;
  auto next = wanted.begin();
  for (uint32_t id : record.backends) {
    const shunt_backend& actual = table.Get(id);
    for (; next != wanted.end() && Compare(actual, *next) > 0; ++next) {
      match.missing.push_back(&*next);
    }
    const bool same = next != wanted.end() && Compare(actual, *next) == 0;
    match.wanted_as.push_back(same ? &*next++ : nullptr);
  }
  for (; next != wanted.end(); ++next) match.missing.push_back(&*next);
  return match;
}

void SortByAddress(std::vector<uint32_t>& ids, const BackendTable& table) {
  std::sort(ids.begin(), ids.end(), [&](uint32_t a, uint32_t b) { return ByAddress(table, a, b); });
}

void MergeByAddress(std::vector<uint32_t>& sorted, std::vector<uint32_t> ids,
                    const BackendTable& table) {
  SortByAddress(ids, table);
  std::vector<uint32_t> merged;
  merged.reserve(sorted.size() + ids.size());
  std::merge(sorted.begin(), sorted.end(), ids.begin(), ids.end(), std::back_inserter(merged),
             [&](uint32_t a, uint32_t b) { return ByAddress(table, a, b); });
  sorted = std::move(merged);
}

WantedLists ListsOf(const ServiceRecord& record, const BackendTable& table) {
  WantedLists lists;
  const BackendMatch match = MatchBackends(record, table);
  for (size_t i = 0; i < record.backends.size(); ++i) {
    const Backend* backend = match.wanted_as[i];
    if (backend == nullptr) continue;
    for (BackendList list : {BackendList::kCluster, BackendList::kLocal}) {
      if (!backend->In(list)) continue;
      lists[RoleOf(backend->address.family(), list)].push_back(table.RefOf(record.backends[i]));
    }
  }
  for (auto& list : lists) {
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  return lists;
}

}  // namespace shunt
