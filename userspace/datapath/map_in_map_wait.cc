// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/map_in_map_wait.h"

#include <bpf/bpf.h>

#include <memory>

#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

struct Maps {
  UniqueFd inner, outer;
};

absl::Status Make(Maps& maps) {
  maps.inner =
      UniqueFd(bpf_map_create(BPF_MAP_TYPE_ARRAY, "shunt_inner", sizeof(uint32_t), 8, 1, nullptr));
  if (!maps.inner.ok()) return ErrnoStatus("make a BPF map");
  LIBBPF_OPTS(bpf_map_create_opts, options,
              .inner_map_fd = static_cast<uint32_t>(maps.inner.get()));
  maps.outer = UniqueFd(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "shunt_outer", sizeof(uint32_t),
                                       sizeof(uint32_t), 1, &options));
  if (!maps.outer.ok()) return ErrnoStatus("make a BPF map of maps");
  return absl::OkStatus();
}

}  // namespace

RcuWait MapInMapWait() {
  return [maps = std::make_shared<Maps>()]() -> absl::Status {
    if (!maps->outer.ok()) SHUNT_RETURN_IF_ERROR(Make(*maps));
    const uint32_t key = 0;
    const int inner = maps->inner.get();
    if (bpf_map_update_elem(maps->outer.get(), &key, &inner, BPF_ANY) < 0) {
      return ErrnoStatus("update a BPF map of maps");
    }
    return absl::OkStatus();
  };
}

}  // namespace shunt
