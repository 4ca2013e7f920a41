// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_INSPECT_H_
#define SHUNT_DATAPATH_INSPECT_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "shunt/config.h"
#include "shunt/types.h"
#include "userspace/base/ip_address.h"
#include "userspace/datapath/map_store.h"

namespace shunt {

// Looking at what is pinned, without an agent: for `shuntctl --source maps`
// and for the agent's own answers. Finds everything by its pin, never by id
// (that would need CAP_SYS_ADMIN). Changes nothing. Thread-safe: no state.

struct MapInfo {
  std::string name, type, pin;
  uint32_t key_size = 0, value_size = 0;  // bytes
  std::optional<uint64_t> entries;  // in use; nullopt where the kernel cannot say (socket storage)
  uint64_t max_entries = 0;         // 0: no limit
  uint64_t memory_bytes = 0;
};

struct ProgramInfo {
  std::string name, hook, pin, tag;  // tag: hex, as bpftool prints it
  uint32_t verified_instructions = 0;
  uint64_t run_count = 0, run_time_ns = 0;  // 0 while kernel.bpf_stats_enabled is 0
};

// runs[verdict][hook]
using VerdictCounters = std::array<std::array<uint64_t, SHUNT_HOOK_COUNT>, SHUNT_VERDICT_COUNT>;

// By enum shunt_tally.
using Tallies = std::array<uint64_t, SHUNT_TALLY_COUNT>;

// A client's backend, by sessionAffinity ClientIP.
struct AffinityEntry {
  uint32_t service_id = 0;
  uint64_t netns_cookie = 0;  // 0: the client is `client`
  IpAddress client;           // else its family's zero
  shunt_backend_ref backend;
  double idle_s = 0;  // since the client's last new connection
};

// How full shunt_affinity is: an entry that made room for another is gone.
struct AffinityCounts {
  uint64_t entries = 0, evicted = 0;
};

// What the kernel charges for an open map, in bytes.
uint64_t MapMemory(int fd);

absl::StatusOr<std::vector<MapInfo>> InspectMaps(const std::string& bpffs);
absl::StatusOr<std::vector<ProgramInfo>> InspectPrograms(const std::string& bpffs);
// What the programs were loaded with.
absl::StatusOr<shunt_config> ReadConfig(const std::string& bpffs);
// The names of the devices whose packets are looked at, sorted.
absl::StatusOr<std::vector<std::string>> ReadServedDevices(const std::string& bpffs);
absl::StatusOr<VerdictCounters> ReadCounters(const std::string& bpffs);
absl::StatusOr<Tallies> ReadTallies(const std::string& bpffs);
absl::StatusOr<std::vector<AffinityEntry>> ReadAffinity(const std::string& bpffs);
absl::StatusOr<AffinityCounts> CountAffinity(const std::string& bpffs);

// The pinned maps, read-only: every Put and Delete fails. Fails with
// NotFound where nothing is pinned, and with FailedPrecondition, naming both
// versions, where another version of Shunt laid them out.
absl::StatusOr<std::unique_ptr<MapStore>> OpenPinnedMaps(const std::string& bpffs);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_INSPECT_H_
