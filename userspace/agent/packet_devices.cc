// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/packet_devices.h"

#include <fnmatch.h>

#include <algorithm>

#include "absl/strings/str_join.h"

namespace shunt {
namespace {

bool IsServed(const std::vector<std::string>& patterns, const HostDevice& device) {
  if (device.is_loopback) return false;
  if (patterns.empty()) return device.is_up && !device.addresses.empty();
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), device.name.c_str(), 0) == 0;
  });
}

IpAddress MainAddress(const HostDevice& device, Family family) {
  for (const IpAddress& address : device.addresses) {
    if (address.family() == family) return address;
  }
  return IpAddress();
}

// Of a device that has none, as those of pods, the host's first: as the kernel
// chooses a source.
IpAddress SourceAddress(const HostDevice& device, const HostAddresses& host, Family family) {
  const IpAddress own = MainAddress(device, family);
  if (!own.IsUnspecified()) return own;
  for (const HostDevice& other : host.devices) {
    const IpAddress address = MainAddress(other, family);
    if (other.is_up && !other.is_loopback && !address.IsUnspecified()) return address;
  }
  return IpAddress();
}

}  // namespace

std::vector<PacketDevice> PacketDevices(const std::vector<std::string>& patterns,
                                        const PodDetector& detector, const HostAddresses& host) {
  std::vector<PacketDevice> result;
  for (const HostDevice& device : host.devices) {
    if (!IsServed(patterns, device)) continue;
    result.push_back({.index = device.index,
                      .name = device.name,
                      .has_link_header = device.has_link_header,
                      .is_of_pods = detector.IsOfPods(device.name),
                      .address4 = SourceAddress(device, host, Family::kIpv4),
                      .address6 = SourceAddress(device, host, Family::kIpv6)});
  }
  return result;
}

std::string NamesOf(const std::vector<PacketDevice>& devices) {
  return absl::StrJoin(
      devices, ",", [](std::string* out, const PacketDevice& device) { out->append(device.name); });
}

}  // namespace shunt
