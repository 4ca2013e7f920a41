// SPDX-License-Identifier: Apache-2.0
#include "userspace/store/store.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace shunt {
namespace {

// The object as what it is: shares the ownership of the whole.
template <typename T>
std::shared_ptr<const T> As(const std::shared_ptr<const Object>& object) {
  if (object == nullptr) return nullptr;
  return std::shared_ptr<const T>(object, &std::get<T>(*object));
}

template <typename T>
bool SameState(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

// The object of that name, or null.
template <typename Objects>
typename Objects::value_type FindOrNull(const Objects& objects, const NamespacedName& name) {
  const auto it = objects.find(name);
  return it == objects.end() ? nullptr : *it;
}

bool IsNameLess(const std::shared_ptr<const EndpointSlice>& slice, const NamespacedName& name) {
  return slice->meta.name < name;
}

}  // namespace

Store::Store(std::string node_name, std::function<void()> on_change)
    : node_name_(std::move(node_name)), on_change_(std::move(on_change)) {}

void Store::Apply(std::vector<ObjectChange> changes) {
  bool notify = false;
  {
    absl::MutexLock lock(&mutex_);
    for (ObjectChange& change : changes) {
      const Kind kind = change.key.kind;
      if (!ApplyOne(std::move(change))) continue;
      Count(kind);
      notify = true;
    }
    notify &= services_listed_;  // before that there is nothing to take
  }
  if (notify) on_change_();
}

void Store::MarkServicesListed() {
  {
    absl::MutexLock lock(&mutex_);
    services_listed_ = true;
  }
  on_change_();
}

void Store::MarkSynced() {
  {
    absl::MutexLock lock(&mutex_);
    services_listed_ = synced_ = true;
  }
  // Also with no object at all: then what an earlier agent left has to go.
  on_change_();
}

void Store::SetProblems(const std::string& origin, Problems problems) {
  {
    absl::MutexLock lock(&mutex_);
    const auto it = problems_.find(origin);
    const Problems none;
    if (problems == (it == problems_.end() ? none : it->second)) return;
    if (problems.empty()) {
      problems_.erase(it);
    } else {
      problems_[origin] = std::move(problems);
    }
  }
  on_change_();
}

ClusterChanges Store::Take() {
  absl::MutexLock lock(&mutex_);
  ClusterChanges changes;
  if (!services_listed_) return changes;
  for (const NamespacedName& name : changed_services_) changes.services[name] = InputOf(name);
  changed_services_.clear();
  change_counts_.pending_services = change_counts_.pending_slices = 0;
  changes.node_changed = std::exchange(node_changed_, false);
  changes.node = node_;
  return changes;
}

ServiceInput Store::InputOf(const NamespacedName& name) const {
  ServiceInput input{.service = FindOrNull(services_, name)};
  if (const auto slices = slices_.find(name); slices != slices_.end()) {
    input.slices = slices->second;
  }
  return input;
}

ServiceInput Store::Find(const NamespacedName& name) const {
  absl::MutexLock lock(&mutex_);
  return InputOf(name);
}

bool Store::services_listed() const {
  absl::MutexLock lock(&mutex_);
  return services_listed_;
}

bool Store::synced() const {
  absl::MutexLock lock(&mutex_);
  return synced_;
}

Problems Store::problems() const {
  absl::MutexLock lock(&mutex_);
  Problems all;
  for (const auto& [origin, problems] : problems_) {
    all.insert(all.end(), problems.begin(), problems.end());
  }
  return all;
}

Store::Sizes Store::sizes() const {
  absl::MutexLock lock(&mutex_);
  Sizes sizes{.services = services_.size(),
              .slices = slices_by_name_.size(),
              .endpoints = endpoints_,
              .problems = 0};
  for (const auto& [origin, problems] : problems_) sizes.problems += problems.size();
  return sizes;
}

Store::ChangeCounts Store::change_counts() const {
  absl::MutexLock lock(&mutex_);
  return change_counts_;
}

void Store::Count(Kind kind) {
  if (kind == Kind::kService) {
    ++change_counts_.services;
    ++change_counts_.pending_services;
  } else if (kind == Kind::kEndpointSlice) {
    ++change_counts_.slices;
    ++change_counts_.pending_slices;
  }
}

bool Store::ApplyOne(ObjectChange change) {
  switch (change.key.kind) {
    case Kind::kService:
      return ApplyService(change.key.name, As<Service>(change.object));
    case Kind::kEndpointSlice:
      return ApplySlice(change.key.name, As<EndpointSlice>(change.object));
    case Kind::kNode:
      return ApplyNode(change.key.name, As<Node>(change.object));
  }
  return false;
}

bool Store::ApplyService(const NamespacedName& name, std::shared_ptr<const Service> service) {
  if (SameState(FindOrNull(services_, name), service)) return false;
  services_.erase(name);
  if (service != nullptr) services_.insert(std::move(service));
  changed_services_.insert(name);
  return true;
}

bool Store::ApplySlice(const NamespacedName& name, std::shared_ptr<const EndpointSlice> slice) {
  const std::shared_ptr<const EndpointSlice> before = FindOrNull(slices_by_name_, name);
  if (SameState(before, slice)) return false;
  if (before != nullptr) RemoveSlice(name, *before);
  if (slice == nullptr) return true;

  endpoints_ += slice->endpoints.size();
  changed_services_.insert(slice->service);
  Slices& slices = slices_[slice->service];
  slices.insert(std::lower_bound(slices.begin(), slices.end(), name, IsNameLess), slice);
  slices_by_name_.insert(std::move(slice));
  return true;
}

// The Service that loses it changes, also when the slice turns up at another.
void Store::RemoveSlice(const NamespacedName& name, const EndpointSlice& slice) {
  const auto slices = slices_.find(slice.service);
  endpoints_ -= slice.endpoints.size();
  changed_services_.insert(slice.service);
  slices->second.erase(
      std::lower_bound(slices->second.begin(), slices->second.end(), name, IsNameLess));
  if (slices->second.empty()) slices_.erase(slices);
  slices_by_name_.erase(name);
}

bool Store::ApplyNode(const NamespacedName& name, std::shared_ptr<const Node> node) {
  if (name.name != node_name_ || SameState(node_, node)) return false;
  node_ = std::move(node);
  node_changed_ = true;
  return true;
}

}  // namespace shunt
