// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/memory_map_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

absl::Status Full(std::string_view map, size_t limit) {
  return absl::ResourceExhaustedError(absl::StrCat("map ", Absl(map), " is full (", limit, ")"));
}

}  // namespace

MemoryMapStore::MemoryMapStore(const Sizes& sizes)
    : sizes_(sizes), slots_(sizes.slots), backends_(sizes.backends) {}

absl::Status MemoryMapStore::PutFrontend(const shunt_frontend_key& key,
                                         const shunt_frontend& value) {
  const FrontendKey frontend = FrontendKey::FromAbi(key);
  SHUNT_RETURN_IF_ERROR(AttemptFrontend(frontend));
  if (!frontends_.contains(frontend) && frontends_.size() >= sizes_.frontends) {
    return Full("shunt_frontends", sizes_.frontends);
  }
  frontends_[frontend] = value;
  Written();
  return absl::OkStatus();
}

absl::Status MemoryMapStore::DeleteFrontend(const shunt_frontend_key& key) {
  const FrontendKey frontend = FrontendKey::FromAbi(key);
  SHUNT_RETURN_IF_ERROR(AttemptFrontend(frontend));
  frontends_.erase(frontend);
  Written();
  return absl::OkStatus();
}

absl::Status MemoryMapStore::PutSource(const shunt_source_key& key) {
  SHUNT_RETURN_IF_ERROR(Attempt("shunt_sources"));
  if (!sources_.contains(key) && sources_.size() >= sizes_.sources) {
    return Full("shunt_sources", sizes_.sources);
  }
  sources_.insert(key);
  Written();
  return absl::OkStatus();
}

absl::Status MemoryMapStore::DeleteSource(const shunt_source_key& key) {
  SHUNT_RETURN_IF_ERROR(Attempt("shunt_sources"));
  sources_.erase(key);
  Written();
  return absl::OkStatus();
}

absl::Status MemoryMapStore::PutService(uint32_t service_id, const shunt_service& value) {
  SHUNT_RETURN_IF_ERROR(Attempt("shunt_services"));
  if (!services_.contains(service_id) && services_.size() >= sizes_.services) {
    return Full("shunt_services", sizes_.services);
  }
  services_[service_id] = value;
  Written();
  return absl::OkStatus();
}

absl::Status MemoryMapStore::DeleteService(uint32_t service_id) {
  SHUNT_RETURN_IF_ERROR(Attempt("shunt_services"));
  services_.erase(service_id);
  Written();
  return absl::OkStatus();
}

absl::Status MemoryMapStore::PutSlots(uint32_t base, absl::Span<const shunt_backend_ref> slots) {
  SHUNT_RETURN_IF_ERROR(Attempt("shunt_slots"));
  if (size_t{base} + slots.size() > slots_.size()) return Full("shunt_slots", slots_.size());
  if (observer_ != nullptr) observer_->BeforeSlots(base, slots);
  std::copy(slots.begin(), slots.end(), slots_.begin() + base);
  slots_written_ = std::max(slots_written_, base + slots.size());
  Written();
  return absl::OkStatus();
}

absl::Status MemoryMapStore::PutBackend(uint32_t id, const shunt_backend& value) {
  SHUNT_RETURN_IF_ERROR(Attempt("shunt_backends"));
  if (id >= backends_.size()) return Full("shunt_backends", backends_.size());
  if (observer_ != nullptr) observer_->BeforeBackend(id, value);
  backends_[id] = value;
  backends_written_ = std::max(backends_written_, size_t{id} + 1);
  Written();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<MapStore::FrontendEntry>> MemoryMapStore::Frontends() const {
  std::vector<FrontendEntry> entries;
  for (const auto& [key, value] : frontends_) entries.emplace_back(key.ToAbi(), value);
  return entries;
}

absl::StatusOr<std::vector<MapStore::ServiceEntry>> MemoryMapStore::Services() const {
  return std::vector<ServiceEntry>(services_.begin(), services_.end());
}

void MemoryMapStore::Heal() {
  fail_at_ = stop_at_ = kNever;
  fails_ = nullptr;
  bad_frontends_.clear();
}

absl::Status MemoryMapStore::AttemptFrontend(const FrontendKey& key) {
  SHUNT_RETURN_IF_ERROR(Attempt("shunt_frontends"));
  if (!bad_frontends_.contains(key)) return absl::OkStatus();
  return absl::InternalError("map shunt_frontends: told to fail for this key");
}

absl::Status MemoryMapStore::Attempt(std::string_view map) {
  const size_t attempt = attempts_++;
  const bool fails = attempt == fail_at_ || attempt >= stop_at_ || (fails_ && fails_(map));
  if (!fails) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("map ", Absl(map), ": told to fail"));
}

void MemoryMapStore::Written() {
  if (observer_ != nullptr) observer_->AfterWrite();
}

}  // namespace shunt
