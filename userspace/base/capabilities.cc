// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "userspace/base/status.h"

namespace shunt {
namespace {

// As the kernel has it: 64 bits in two words, the low one first.
using CapabilitySets = __user_cap_data_struct[_LINUX_CAPABILITY_U32S_3];

absl::Status Reduce(uint64_t kept) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  CapabilitySets sets = {};
  if (syscall(__NR_capget, &header, sets) < 0) return ErrnoStatus("capget");
  for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; ++word) {
    sets[word].permitted &= static_cast<uint32_t>(kept >> (32 * word));
    sets[word].effective = sets[word].permitted;
    sets[word].inheritable = 0;
  }
  if (syscall(__NR_capset, &header, sets) < 0) return ErrnoStatus("capset");
  return absl::OkStatus();
}

// What a program could get that is executed. EINVAL: the kernel knows no more.
absl::Status ReduceBounding(uint64_t kept) {
  for (int capability = 0; capability < 64; ++capability) {
    if (((kept >> capability) & 1) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) return absl::OkStatus();
    // Without CAP_SETPCAP the set stays: no_new_privs has the same effect.
    if (errno != EPERM) return ErrnoStatus("PR_CAPBSET_DROP");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status KeepCapabilities(std::initializer_list<int> kept) {
  uint64_t set = 0;
  for (const int capability : kept) set |= uint64_t{1} << capability;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return ErrnoStatus("PR_SET_NO_NEW_PRIVS");
  SHUNT_RETURN_IF_ERROR(ReduceBounding(set));
  return Reduce(set);
}

}  // namespace shunt
