// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_MAP_STORE_H_
#define SHUNT_DATAPATH_MAP_STORE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "shunt/abi.h"

namespace shunt {

// The maps that the agent writes, as the reconciler sees them. Two
// implementations: BPF maps, and memory that fails on demand (tests).
//
// A call that fails has changed nothing. Errors carry the map's name; a full
// map is ResourceExhausted. Used by one thread.
class MapStore {
 public:
  virtual ~MapStore() = default;

  // Replaces what was there, atomically for readers.
  virtual absl::Status PutFrontend(const shunt_frontend_key& key, const shunt_frontend& value) = 0;
  // Deleting what is not there succeeds.
  virtual absl::Status DeleteFrontend(const shunt_frontend_key& key) = 0;
  // shunt_sources: a key is there or not, its value is SourceValueOf(). Both succeed where nothing
  // changes.
  virtual absl::Status PutSource(const shunt_source_key& key) = 0;
  virtual absl::Status DeleteSource(const shunt_source_key& key) = 0;
  virtual absl::Status PutService(uint32_t service_id, const shunt_service& value) = 0;
  virtual absl::Status DeleteService(uint32_t service_id) = 0;
  // Plain stores: not atomic for readers, so nobody may be able to reach these
  // slots. `base` + slots.size() is within slot_limit().
  virtual absl::Status PutSlots(uint32_t base, absl::Span<const shunt_backend_ref> slots) = 0;
  // Plain stores as well; `generation` and `state` may change under readers.
  virtual absl::Status PutBackend(uint32_t id, const shunt_backend& value) = 0;

  using FrontendEntry = std::pair<shunt_frontend_key, shunt_frontend>;
  using ServiceEntry = std::pair<uint32_t, shunt_service>;
  virtual absl::StatusOr<std::vector<FrontendEntry>> Frontends() const = 0;
  virtual absl::StatusOr<std::vector<ServiceEntry>> Services() const = 0;
  virtual absl::StatusOr<std::vector<shunt_source_key>> Sources() const = 0;
  // The arrays as far as anybody wrote; behind that all is zero. Writing makes
  // them longer and never moves them.
  virtual absl::Span<const shunt_backend_ref> slots() const = 0;
  virtual absl::Span<const shunt_backend> backends() const = 0;
  // How long they can become.
  virtual size_t slot_limit() const = 0;
  virtual size_t backend_limit() const = 0;
};

// Tells when no program can still hold what it read from the maps before: an
// RCU grace period. Never waits unless asked to.
class GracePeriod {
 public:
  virtual ~GracePeriod() = default;

  // Begins a grace period; several may be under way. Tickets grow.
  virtual uint64_t Begin() = 0;
  virtual bool HasEnded(uint64_t ticket) = 0;
  virtual void WaitFor(uint64_t ticket) = 0;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_MAP_STORE_H_
