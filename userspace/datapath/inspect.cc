// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/inspect.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <numeric>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "shunt/abi.h"
#include "userspace/base/status.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/bpf_batch.h"
#include "userspace/datapath/bpf_hooks.h"
#include "userspace/datapath/bpf_map_store.h"
#include "userspace/datapath/coarse_clock.h"
#include "userspace/datapath/pins.h"

namespace shunt {
namespace {

absl::StatusOr<bpf_map_info> MapInfoOf(int fd) {
  bpf_map_info info = {};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &length) < 0) return ErrnoStatus("BPF map info");
  return info;
}

absl::StatusOr<MapInfo> Inspect(const PinDirectory& pins, std::string_view name) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, pins.OpenReadOnly(name));
  SHUNT_ASSIGN_OR_RETURN(bpf_map_info info, MapInfoOf(fd.get()));
  std::string_view type = libbpf_bpf_map_type_str(static_cast<bpf_map_type>(info.type));
  return MapInfo{.name = std::string(name),
                 .type = std::string(type),
                 .pin = pins.PathOf(name),
                 .key_size = info.key_size,
                 .value_size = info.value_size,
                 .max_entries = info.max_entries,
                 .memory_bytes = MapMemory(fd.get())};
}

// Of maps that have nobody to keep account of them, as far as the kernel says.
absl::Status CountTheRest(const PinDirectory& pins, MapInfo& info) {
  const bool is_trie = info.type == "lpm_trie";
  if (info.entries.has_value() || (!is_trie && info.type != "hash" && info.type != "lru_hash")) {
    return absl::OkStatus();
  }
  SHUNT_ASSIGN_OR_RETURN(const UniqueFd fd, pins.OpenReadOnly(info.name));
  if (is_trie) {
    info.entries = CountTrie(fd.get(), info.key_size);
    return absl::OkStatus();
  }
  SHUNT_ASSIGN_OR_RETURN(info.entries, CountHash(fd.get(), info.key_size, info.value_size));
  return absl::OkStatus();
}

// The maps of packets; none where packets are not served.
absl::Status AddPacketMaps(const PinDirectory& pins, std::vector<MapInfo>& maps) {
  for (std::string_view name : kPacketMaps) {
    absl::StatusOr<MapInfo> info = Inspect(pins, name);
    if (absl::IsNotFound(info.status())) continue;
    SHUNT_RETURN_IF_ERROR(info.status());
    SHUNT_RETURN_IF_ERROR(CountTheRest(pins, *info));
    maps.push_back(*std::move(info));
  }
  return absl::OkStatus();
}

// Entries in use, counted one by one: nothing that estimates tells the truth.
std::optional<uint64_t> CountEntries(const MapStore& maps, std::string_view name,
                                     const std::vector<MapStore::FrontendEntry>& frontends) {
  if (name == "shunt_frontends") return frontends.size();
  if (name == "shunt_sources")
    return maps.Sources().value_or(std::vector<shunt_source_key>()).size();
  if (name == "shunt_services")
    return maps.Services().value_or(std::vector<MapStore::ServiceEntry>()).size();
  if (name == "shunt_backends") {
    return std::count_if(maps.backends().begin(), maps.backends().end(),
                         [](const shunt_backend& b) { return b.state != SHUNT_BACKEND_FREE; });
  }
  if (name != "shunt_slots") return std::nullopt;
  std::vector<std::pair<uint32_t, uint32_t>> ranges;  // shared by frontends of one service
  for (const auto& [key, value] : frontends)
    ranges.emplace_back(value.slots.base, value.slots.count);
  std::sort(ranges.begin(), ranges.end());
  ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
  uint64_t used = 0;
  for (const auto& [base, count] : ranges) used += count;
  return used;
}

absl::StatusOr<ProgramInfo> InspectProgram(const PinDirectory& pins, const std::string& name,
                                           const std::string& hook) {
  SHUNT_ASSIGN_OR_RETURN(const UniqueFd fd, pins.Open(name));
  bpf_prog_info info = {};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &length) < 0) return ErrnoStatus("BPF program info");
  const absl::string_view tag(reinterpret_cast<const char*>(info.tag), sizeof(info.tag));
  return ProgramInfo{.name = name,
                     .hook = hook,
                     .pin = pins.PathOf(name),
                     .tag = absl::BytesToHexString(tag),
                     .verified_instructions = info.verified_insns,
                     .run_count = info.run_cnt,
                     .run_time_ns = info.run_time_ns};
}

// The only entry of a map. FailedPrecondition where it has another size, so that
// the kernel never writes more than there is room for.
template <typename T>
absl::StatusOr<T> ReadOnlyEntry(const PinDirectory& pins, std::string_view name) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, pins.OpenReadOnly(name));
  SHUNT_ASSIGN_OR_RETURN(bpf_map_info info, MapInfoOf(fd.get()));
  if (info.value_size != sizeof(T)) {
    return absl::FailedPreconditionError(
        absl::StrCat("map ", std::string(name), " is of another version of Shunt"));
  }
  T value = {};
  const uint32_t key = 0;
  if (bpf_map_lookup_elem(fd.get(), &key, &value) < 0) {
    return ErrnoStatus(absl::StrCat("map ", std::string(name)));
  }
  return value;
}

absl::StatusOr<shunt_meta> ReadMeta(const PinDirectory& pins) {
  absl::StatusOr<shunt_meta> meta = ReadOnlyEntry<shunt_meta>(pins, "shunt_meta");
  if (!absl::IsFailedPrecondition(meta.status())) return meta;
  return shunt_meta{.layout_version = ~0u};
}

}  // namespace

uint64_t MapMemory(int fd) {
  std::ifstream lines(absl::StrCat("/proc/self/fdinfo/", fd));
  uint64_t bytes = 0;
  for (std::string line; std::getline(lines, line);) {
    absl::string_view value = line;
    if (absl::ConsumePrefix(&value, "memlock:")) (void)absl::SimpleAtoi(value, &bytes);
  }
  return bytes;
}

absl::StatusOr<std::vector<MapInfo>> InspectMaps(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<MapStore> maps, OpenPinnedMaps(bpffs));
  SHUNT_ASSIGN_OR_RETURN(auto frontends, maps->Frontends());
  const PinDirectory pins(bpffs);
  std::vector<MapInfo> result;
  for (std::string_view name : kBpfMaps) {
    SHUNT_ASSIGN_OR_RETURN(MapInfo info, Inspect(pins, name));
    info.entries = CountEntries(*maps, name, frontends);
    SHUNT_RETURN_IF_ERROR(CountTheRest(pins, info));
    result.push_back(std::move(info));
  }
  SHUNT_RETURN_IF_ERROR(AddPacketMaps(pins, result));
  return result;
}

absl::StatusOr<std::vector<ProgramInfo>> InspectPrograms(const std::string& bpffs) {
  const PinDirectory pins(bpffs);
  std::vector<ProgramInfo> result;
  for (const BpfHook& hook : kBpfHooks) {
    SHUNT_ASSIGN_OR_RETURN(ProgramInfo info, InspectProgram(pins, hook.ProgramName(), hook.name));
    result.push_back(std::move(info));
  }
  for (const std::string_view name : kPacketPrograms) {
    const std::string hook(name.substr(std::string_view("shunt_").size()));
    absl::StatusOr<ProgramInfo> info = InspectProgram(pins, std::string(name), hook);
    if (absl::IsNotFound(info.status())) continue;  // packets are not served
    SHUNT_RETURN_IF_ERROR(info.status());
    result.push_back(*std::move(info));
  }
  return result;
}

absl::StatusOr<shunt_config> ReadConfig(const std::string& bpffs) {
  return ReadOnlyEntry<shunt_config>(PinDirectory(bpffs), kConfigMap);
}

absl::StatusOr<std::vector<std::string>> ReadServedDevices(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, PinDirectory(bpffs).OpenReadOnly("shunt_devices"));
  SHUNT_ASSIGN_OR_RETURN(const auto entries, (ReadHash<uint32_t, shunt_device>(fd.get())));
  std::vector<std::string> names;
  for (const auto& [index, device] : entries) {
    char name[IF_NAMESIZE];
    if (if_indextoname(index, name) != nullptr) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<VerdictCounters> ReadCounters(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, PinDirectory(bpffs).OpenReadOnly("shunt_counters"));
  std::vector<shunt_counter> per_cpu(libbpf_num_possible_cpus());
  VerdictCounters counters = {};
  for (uint32_t verdict = 0; verdict < SHUNT_VERDICT_COUNT; ++verdict) {
    if (bpf_map_lookup_elem(fd.get(), &verdict, per_cpu.data()) < 0) {
      return ErrnoStatus("map shunt_counters");
    }
    for (const shunt_counter& cpu : per_cpu) {
      for (int hook = 0; hook < SHUNT_HOOK_COUNT; ++hook) counters[verdict][hook] += cpu.runs[hook];
    }
  }
  return counters;
}

absl::StatusOr<Tallies> ReadTallies(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, PinDirectory(bpffs).OpenReadOnly("shunt_tallies"));
  std::vector<uint64_t> per_cpu(libbpf_num_possible_cpus());
  Tallies tallies = {};
  for (uint32_t tally = 0; tally < SHUNT_TALLY_COUNT; ++tally) {
    if (bpf_map_lookup_elem(fd.get(), &tally, per_cpu.data()) < 0) {
      return ErrnoStatus("map shunt_tallies");
    }
    tallies[tally] = std::accumulate(per_cpu.begin(), per_cpu.end(), uint64_t{0});
  }
  return tallies;
}

absl::StatusOr<std::vector<AffinityEntry>> ReadAffinity(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, PinDirectory(bpffs).OpenReadOnly("shunt_affinity"));
  SHUNT_ASSIGN_OR_RETURN(const auto entries,
                         (ReadHash<shunt_affinity_key, shunt_affinity>(fd.get())));
  const uint64_t now_ns = CoarseNowNs();
  std::vector<AffinityEntry> result;
  result.reserve(entries.size());
  for (const auto& [key, value] : entries) {
    result.push_back({.service_id = key.service_id,
                      .netns_cookie = key.netns_cookie,
                      .client = ToIpAddress(key.address),
                      .backend = value.backend,
                      .idle_s = IdleNs(now_ns, value.last_used_ns) / 1e9});
  }
  return result;
}

absl::StatusOr<AffinityCounts> CountAffinity(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(const auto entries, ReadAffinity(bpffs));
  SHUNT_ASSIGN_OR_RETURN(const Tallies tallies, ReadTallies(bpffs));
  const uint64_t added = tallies[SHUNT_TALLY_AFFINITY_ADDED];
  return AffinityCounts{.entries = entries.size(),
                        .evicted = added > entries.size() ? added - entries.size() : 0};
}

absl::StatusOr<std::unique_ptr<MapStore>> OpenPinnedMaps(const std::string& bpffs) {
  const PinDirectory pins(bpffs);
  SHUNT_ASSIGN_OR_RETURN(shunt_meta meta, ReadMeta(pins));
  if (meta.magic != SHUNT_MAGIC || meta.layout_version != SHUNT_LAYOUT_VERSION) {
    return absl::FailedPreconditionError(
        absl::StrCat(bpffs, ": the maps there have layout ", meta.layout_version,
                     ", this is a Shunt for layout ", SHUNT_LAYOUT_VERSION,
                     "; use the shuntctl of the agent that runs"));
  }
  BpfMapStore::Maps maps;
  SHUNT_ASSIGN_OR_RETURN(maps.frontends, pins.OpenReadOnly("shunt_frontends"));
  SHUNT_ASSIGN_OR_RETURN(maps.sources, pins.OpenReadOnly("shunt_sources"));
  SHUNT_ASSIGN_OR_RETURN(maps.services, pins.OpenReadOnly("shunt_services"));
  // The kernel shares no memory with a descriptor that is read-only (EINVAL), so
  // these are not; their memory is mapped for reading only.
  SHUNT_ASSIGN_OR_RETURN(maps.slots, pins.Open("shunt_slots"));
  SHUNT_ASSIGN_OR_RETURN(maps.backends, pins.Open("shunt_backends"));
  return BpfMapStore::Create(std::move(maps), BpfMapStore::Access::kReadOnly);
}

}  // namespace shunt
