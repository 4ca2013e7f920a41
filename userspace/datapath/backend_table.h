// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_BACKEND_TABLE_H_
#define SHUNT_DATAPATH_BACKEND_TABLE_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/quarantine.h"

namespace shunt {

// Who has which id of shunt_backends, and how many slot lists name it. Ids are
// dense, the lowest free first. shunt_backends itself is the record of what
// stands behind an id and of its generation: it is memory that we can read.
//
//              Add: generation g, SERVING
//     free  ------------------------------>  live
//      ^                                       |  Free: generation g + 1, FREE;
//      '---- grace period ---- quarantine <----'  the address stays as it is
//
// So a reference {id, g} that a socket kept is known to be stale from the
// moment of Free, and a program that is just reading sees a whole address,
// never a mixture. Generations live on in the map when the agent restarts.
//
// Belongs to the control thread.
class BackendTable {
 public:
  BackendTable(MapStore& maps, GracePeriod& grace_period);

  // Writes `backend` under a free id and a generation of its own (the one in
  // `backend` is ignored). Waits for a grace period only where all ids are in
  // use. ResourceExhausted: the map is full.
  absl::StatusOr<uint32_t> Add(const shunt_backend& backend);
  // Nobody refers to `id`. After a failure it is still live.
  absl::Status Free(uint32_t id);
  // Takes an id that an earlier agent used, whatever stands there.
  void Adopt(uint32_t id);

  // `id` was written at some time.
  const shunt_backend& Get(uint32_t id) const { return maps_.backends()[id]; }
  shunt_backend_ref RefOf(uint32_t id) const {
    return {.id = id, .generation = Get(id).generation};
  }

  // How many slot lists name `id`.
  uint32_t lists(uint32_t id) const { return lists_[id]; }
  void Enlist(uint32_t id) { ++lists_[id]; }
  void Delist(uint32_t id) { --lists_[id]; }

  bool HasUnsealed() const { return quarantine_.HasUnsealed(); }
  void Seal(uint64_t ticket) { quarantine_.Seal(ticket); }

 private:
  absl::StatusOr<uint32_t> TakeId();
  uint32_t GenerationOf(uint32_t id) const;

  MapStore& maps_;
  absl::btree_set<uint32_t> holes_;  // free ids below lists_.size()
  Quarantine<uint32_t> quarantine_;
  std::vector<uint32_t> lists_;  // by id, as far as ids were ever used
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_BACKEND_TABLE_H_
