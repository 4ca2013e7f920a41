// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/backend_table.h"

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

// 0 is no generation: a reference is never {0, 0}, which is what empty slots
// and empty sockets hold.
uint32_t NonZero(uint32_t generation) { return generation == 0 ? 1 : generation; }

}  // namespace

BackendTable::BackendTable(MapStore& maps, GracePeriod& grace_period)
    : maps_(maps), quarantine_(grace_period) {}

absl::StatusOr<uint32_t> BackendTable::Add(const shunt_backend& backend) {
  SHUNT_ASSIGN_OR_RETURN(const uint32_t id, TakeId());
  shunt_backend value = backend;
  value.generation = NonZero(GenerationOf(id));
  if (absl::Status status = maps_.PutBackend(id, value); !status.ok()) {
    holes_.insert(id);
    return status;
  }
  return id;
}

absl::Status BackendTable::Free(uint32_t id) {
  shunt_backend value = Get(id);
  value.generation = NonZero(value.generation + 1);
  value.state = SHUNT_BACKEND_FREE;
  SHUNT_RETURN_IF_ERROR(maps_.PutBackend(id, value));
  quarantine_.Add(id);
  return absl::OkStatus();
}

void BackendTable::Adopt(uint32_t id) {
  while (lists_.size() <= id) {
    holes_.insert(holes_.end(), lists_.size());
    lists_.push_back(0);
  }
  holes_.erase(id);
}

// An id that nobody ever wrote may lie behind what maps_.backends() shows.
uint32_t BackendTable::GenerationOf(uint32_t id) const {
  return id < maps_.backends().size() ? Get(id).generation : 0;
}

absl::StatusOr<uint32_t> BackendTable::TakeId() {
  for (uint32_t ended : quarantine_.TakeEnded()) holes_.insert(ended);
  if (holes_.empty() && lists_.size() < maps_.backend_limit()) {
    lists_.push_back(0);
    return lists_.size() - 1;
  }
  if (holes_.empty()) {
    for (uint32_t ended : quarantine_.WaitForOldest()) holes_.insert(ended);
  }
  if (holes_.empty()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("map shunt_backends is full (", maps_.backend_limit(), ")"));
  }
  return holes_.extract(holes_.begin()).value();
}

}  // namespace shunt
