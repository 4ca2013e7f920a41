// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/opt_outs.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "shunt/abi.h"
#include "userspace/base/cgroup.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"
#include "userspace/datapath/bpf_batch.h"
#include "userspace/datapath/pins.h"

namespace shunt {
namespace {

absl::StatusOr<std::vector<uint64_t>> Ids(int map) {
  SHUNT_ASSIGN_OR_RETURN(const auto entries, (ReadHash<uint64_t, uint8_t>(map)));
  std::vector<uint64_t> ids;
  ids.reserve(entries.size());
  for (const auto& [id, value] : entries) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Tells the programs whether to look into the map at all: written after it.
absl::Status UpdateMeta(const PinDirectory& pins, int opt_outs) {
  SHUNT_ASSIGN_OR_RETURN(const std::vector<uint64_t> ids, Ids(opt_outs));
  SHUNT_ASSIGN_OR_RETURN(const UniqueFd fd, pins.Open("shunt_meta"));
  const uint32_t key = 0;
  shunt_meta meta = {};
  if (bpf_map_lookup_elem(fd.get(), &key, &meta) < 0) return ErrnoStatus("map shunt_meta");
  meta.opt_outs = static_cast<uint32_t>(ids.size());
  if (bpf_map_update_elem(fd.get(), &key, &meta, BPF_ANY) < 0) return ErrnoStatus("map shunt_meta");
  return absl::OkStatus();
}

}  // namespace

absl::Status AddOptOut(const std::string& bpffs, const std::string& cgroup) {
  SHUNT_ASSIGN_OR_RETURN(const uint64_t id, CgroupId(cgroup));
  const PinDirectory pins(bpffs);
  SHUNT_ASSIGN_OR_RETURN(const UniqueFd map, pins.Open("shunt_opt_outs"));
  const uint8_t yes = 1;
  if (bpf_map_update_elem(map.get(), &id, &yes, BPF_ANY) < 0) {
    if (errno != E2BIG) return ErrnoStatus("map shunt_opt_outs");
    return absl::ResourceExhaustedError(
        absl::StrCat("map shunt_opt_outs is full (", SHUNT_MAX_OPT_OUTS, ")"));
  }
  return UpdateMeta(pins, map.get());
}

absl::Status RemoveOptOut(const std::string& bpffs, const std::string& cgroup) {
  SHUNT_ASSIGN_OR_RETURN(const uint64_t id, CgroupId(cgroup));
  return RemoveOptOut(bpffs, id);
}

absl::Status RemoveOptOut(const std::string& bpffs, uint64_t cgroup_id) {
  const PinDirectory pins(bpffs);
  SHUNT_ASSIGN_OR_RETURN(const UniqueFd map, pins.Open("shunt_opt_outs"));
  if (bpf_map_delete_elem(map.get(), &cgroup_id) < 0 && errno != ENOENT) {
    return ErrnoStatus("map shunt_opt_outs");
  }
  return UpdateMeta(pins, map.get());
}

absl::StatusOr<std::vector<uint64_t>> ReadOptOuts(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(const UniqueFd map, PinDirectory(bpffs).OpenReadOnly("shunt_opt_outs"));
  return Ids(map.get());
}

}  // namespace shunt
