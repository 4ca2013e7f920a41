// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/bpf_map_store.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "shunt/limits.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/status.h"
#include "userspace/datapath/bpf_batch.h"
#include "userspace/datapath/source_key.h"

namespace shunt {
namespace {

absl::Status WriteStatus(std::string_view map, size_t limit, int error) {
  if (error == E2BIG || error == ENOSPC) {
    return absl::ResourceExhaustedError(absl::StrCat("map ", Absl(map), " is full (", limit, ")"));
  }
  if (error == ENOMEM) {
    return absl::ResourceExhaustedError(
        absl::StrCat("map ", Absl(map), ": the kernel has no memory"));
  }
  return ErrnoStatus(absl::StrCat("map ", Absl(map)), error);
}

template <typename K, typename V>
absl::Status Put(int fd, std::string_view map, size_t limit, const K& key, const V& value) {
  if (bpf_map_update_elem(fd, &key, &value, BPF_ANY) == 0) return absl::OkStatus();
  return WriteStatus(map, limit, errno);
}

template <typename K>
absl::Status Delete(int fd, std::string_view map, const K& key) {
  if (bpf_map_delete_elem(fd, &key) == 0 || errno == ENOENT) return absl::OkStatus();
  return ErrnoStatus(absl::StrCat("map ", Absl(map)));
}

absl::Status CheckRange(std::string_view map, size_t end, size_t limit) {
  if (end <= limit) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("map ", Absl(map), " is full (", limit, ")"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BpfMapStore>> BpfMapStore::Create(Maps maps, Access access) {
  std::unique_ptr<BpfMapStore> store(new BpfMapStore(std::move(maps), access));
  SHUNT_RETURN_IF_ERROR(store->MapArrays());
  return store;
}

absl::Status BpfMapStore::MapArrays() {
  const auto open = access_ == Access::kReadWrite ? MappedArray::OpenInUse : MappedArray::OpenWhole;
  SHUNT_ASSIGN_OR_RETURN(slots_, open(maps_.slots.get(), slot_limit() * sizeof(shunt_backend_ref)));
  SHUNT_ASSIGN_OR_RETURN(backends_,
                         open(maps_.backends.get(), backend_limit() * sizeof(shunt_backend)));
  return absl::OkStatus();
}

size_t BpfMapStore::slot_limit() const { return SHUNT_MAX_SLOTS; }

size_t BpfMapStore::backend_limit() const { return SHUNT_MAX_BACKENDS; }

absl::Status BpfMapStore::CheckWritable(std::string_view map) const {
  if (access_ == Access::kReadWrite) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("map ", Absl(map), " was opened to be read"));
}

absl::Status BpfMapStore::PutFrontend(const shunt_frontend_key& key, const shunt_frontend& value) {
  return Put(maps_.frontends.get(), "shunt_frontends", SHUNT_MAX_FRONTENDS, key, value);
}

absl::Status BpfMapStore::DeleteFrontend(const shunt_frontend_key& key) {
  return Delete(maps_.frontends.get(), "shunt_frontends", key);
}

absl::Status BpfMapStore::PutSource(const shunt_source_key& key) {
  return Put(maps_.sources.get(), "shunt_sources", SHUNT_MAX_SOURCES, key, SourceValueOf(key));
}

absl::Status BpfMapStore::DeleteSource(const shunt_source_key& key) {
  return Delete(maps_.sources.get(), "shunt_sources", key);
}

absl::Status BpfMapStore::PutService(uint32_t service_id, const shunt_service& value) {
  return Put(maps_.services.get(), "shunt_services", SHUNT_MAX_SERVICES, service_id, value);
}

absl::Status BpfMapStore::DeleteService(uint32_t service_id) {
  return Delete(maps_.services.get(), "shunt_services", service_id);
}

absl::Status BpfMapStore::PutSlots(uint32_t base, absl::Span<const shunt_backend_ref> slots) {
  SHUNT_RETURN_IF_ERROR(CheckWritable("shunt_slots"));
  const size_t end = size_t{base} + slots.size();
  SHUNT_RETURN_IF_ERROR(CheckRange("shunt_slots", end, slot_limit()));
  SHUNT_RETURN_IF_ERROR(slots_.Reach(end * sizeof(shunt_backend_ref)));
  std::copy(slots.begin(), slots.end(), slots_.Elements<shunt_backend_ref>().begin() + base);
  return absl::OkStatus();
}

absl::Status BpfMapStore::PutBackend(uint32_t id, const shunt_backend& value) {
  SHUNT_RETURN_IF_ERROR(CheckWritable("shunt_backends"));
  SHUNT_RETURN_IF_ERROR(CheckRange("shunt_backends", size_t{id} + 1, backend_limit()));
  SHUNT_RETURN_IF_ERROR(backends_.Reach((size_t{id} + 1) * sizeof(shunt_backend)));
  shunt_backend& backend = backends_.Elements<shunt_backend>()[id];
  // The generation says whether the rest means anything: a program that still
  // holds an old reference sees it change first, one with a new one sees it last.
  std::atomic_ref<uint32_t> generation(backend.generation);
  if (value.state == SHUNT_BACKEND_FREE) generation.store(value.generation);
  shunt_backend written = value;
  written.generation = backend.generation;
  std::memcpy(&backend, &written, sizeof(backend));
  generation.store(value.generation, std::memory_order_release);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<MapStore::FrontendEntry>> BpfMapStore::Frontends() const {
  return ReadHash<shunt_frontend_key, shunt_frontend>(maps_.frontends.get());
}

absl::StatusOr<std::vector<MapStore::ServiceEntry>> BpfMapStore::Services() const {
  return ReadHash<uint32_t, shunt_service>(maps_.services.get());
}

// One by one: a trie has no position that could be kept between batches.
absl::StatusOr<std::vector<shunt_source_key>> BpfMapStore::Sources() const {
  std::vector<shunt_source_key> keys;
  shunt_source_key key;
  while (bpf_map_get_next_key(maps_.sources.get(), keys.empty() ? nullptr : &keys.back(), &key) ==
         0) {
    keys.push_back(key);
  }
  if (errno != ENOENT) return ErrnoStatus("map shunt_sources");
  return keys;
}

}  // namespace shunt
