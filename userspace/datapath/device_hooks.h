// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_DEVICE_HOOKS_H_
#define SHUNT_DATAPATH_DEVICE_HOOKS_H_

#include <cstdint>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "userspace/datapath/pins.h"

namespace shunt {

enum class PacketHook : uint8_t { kIngress, kEgress };

// Which of our programs stand at which devices of the calling thread's network
// namespace. Programs of others at the same device stay and run too. By tcx
// (kernel 6.6), as links that are pinned ("link_ingress_3", 3 being the device's
// index); else by clsact, as filters of a priority of our own. Both outlive the
// agent. Belongs to the control thread.
class DeviceHooks {
 public:
  enum class Way : uint8_t { kTcx, kClsact };

  // Where tcx is not there, clsact is taken whatever `way` says.
  explicit DeviceHooks(PinDirectory pins, Way way = Way::kTcx)
      : pins_(std::move(pins)), way_(way) {}

  // Puts the program there, in the place of one of ours. NotFound: there is no
  // such device (any more).
  absl::Status Attach(PacketHook hook, uint32_t device, int program);
  // Takes our programs away from all devices but these.
  absl::Status DetachOthers(const absl::btree_set<uint32_t>& keep);

 private:
  absl::Status AttachLink(PacketHook hook, uint32_t device, int program);
  absl::Status DetachLinks(const absl::btree_set<uint32_t>& keep);

  const PinDirectory pins_;
  Way way_;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_DEVICE_HOOKS_H_
