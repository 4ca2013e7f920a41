// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_PACKET_PROGRAMS_H_
#define SHUNT_DATAPATH_PACKET_PROGRAMS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "shunt/config.h"
#include "userspace/base/unique_fd.h"
#include "userspace/datapath/device_hooks.h"
#include "userspace/datapath/packet_device.h"
#include "userspace/datapath/packet_origin.h"
#include "userspace/datapath/pins.h"

namespace shunt {

// The programs of bpf/tc.bpf.c: what they share with the socket programs is
// theirs too, what packets alone need is their own. Belongs to the control
// thread, as a part of Datapath.
class PacketPrograms {
 public:
  struct Parts {
    PinDirectory pins;
    shunt_config config;  // that of the socket programs
    // The descriptor of a map that both have, by name; it stays the owner's.
    std::function<int(const char* name)> shared_map;
    bool adopt = false;  // pinned flows belong to these maps, and go on
  };

  // Loads; changes nothing for traffic.
  static absl::StatusOr<std::unique_ptr<PacketPrograms>> Load(Parts parts);

  virtual ~PacketPrograms() = default;
  // Pins programs and maps.
  virtual absl::Status Pin() = 0;
  // Makes exactly these devices looked at. A device that is not there (any more)
  // is none; what else fails is told after all were tried.
  virtual absl::Status SetDevices(const std::vector<PacketDevice>& devices) = 0;
  // Makes exactly these ranges known; before what is no longer so is forgotten.
  virtual absl::Status SetOrigins(const std::vector<PacketOrigin>& origins) = 0;
};

// Detaches what an earlier agent left, and removes its pins.
absl::Status RemovePacketPrograms(const PinDirectory& pins);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_PACKET_PROGRAMS_H_
