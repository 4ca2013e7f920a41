// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_BPF_MAP_STORE_H_
#define SHUNT_DATAPATH_BPF_MAP_STORE_H_

#include <memory>
#include <vector>

#include "userspace/base/unique_fd.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/mapped_array.h"

namespace shunt {

// The maps in the kernel: hashes through bpf(2), arrays through shared memory.
class BpfMapStore : public MapStore {
 public:
  enum class Access { kReadOnly, kReadWrite };
  struct Maps {
    UniqueFd frontends, sources, services, slots, backends;
  };

  // Takes over the descriptors of maps that are laid out as abi.h says.
  static absl::StatusOr<std::unique_ptr<BpfMapStore>> Create(Maps maps, Access access);

  absl::Status PutFrontend(const shunt_frontend_key& key, const shunt_frontend& value) override;
  absl::Status DeleteFrontend(const shunt_frontend_key& key) override;
  absl::Status PutSource(const shunt_source_key& key) override;
  absl::Status DeleteSource(const shunt_source_key& key) override;
  absl::Status PutService(uint32_t service_id, const shunt_service& value) override;
  absl::Status DeleteService(uint32_t service_id) override;
  absl::Status PutSlots(uint32_t base, absl::Span<const shunt_backend_ref> slots) override;
  absl::Status PutBackend(uint32_t id, const shunt_backend& value) override;
  absl::StatusOr<std::vector<FrontendEntry>> Frontends() const override;
  absl::StatusOr<std::vector<ServiceEntry>> Services() const override;
  absl::StatusOr<std::vector<shunt_source_key>> Sources() const override;
  absl::Span<const shunt_backend_ref> slots() const override {
    return slots_.Elements<const shunt_backend_ref>();
  }
  absl::Span<const shunt_backend> backends() const override {
    return backends_.Elements<const shunt_backend>();
  }
  size_t slot_limit() const override;
  size_t backend_limit() const override;

 private:
  BpfMapStore(Maps maps, Access access) : maps_(std::move(maps)), access_(access) {}
  absl::Status MapArrays();
  absl::Status CheckWritable(std::string_view map) const;

  Maps maps_;
  const Access access_;
  // Shared memory. Readers are programs in the kernel, so a store is made
  // visible by what is written after it: a frontend, by a system call.
  MappedArray slots_;
  MappedArray backends_;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_BPF_MAP_STORE_H_
