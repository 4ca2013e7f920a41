// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/bpf_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt {

// The limit on locked memory counts for maps before kernel 5.11, and those that
// account to the cgroup do not look at it.
absl::Status LoadStatus(int error, const std::string& log) {
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError(
        "the kernel refuses to load BPF programs: run as root, or with CAP_BPF and CAP_NET_ADMIN "
        "(and before kernel 5.11 with a higher 'ulimit -l')");
  }
  if (error == ENOMEM) {
    return absl::ResourceExhaustedError(
        "no memory for the BPF maps: raise the memory limit of this cgroup");
  }
  return ErrnoStatus(absl::StrCat("load of the BPF programs failed; the kernel says:\n", log),
                     error);
}

bool FitsMap(int fd, const bpf_map* map) {
  bpf_map_info info = {};
  uint32_t length = sizeof(info);
  return bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && info.type == bpf_map__type(map) &&
         info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
         info.max_entries == bpf_map__max_entries(map) && info.map_flags == bpf_map__map_flags(map);
}

}  // namespace shunt
