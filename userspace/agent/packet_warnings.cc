// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/packet_warnings.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace shunt {
namespace {

using PortRange = std::pair<uint32_t, uint32_t>;  // both ends are in it

bool HasFamily(const DatapathState& state, Family family) {
  return std::any_of(state.begin(), state.end(), [&](const auto& entry) {
    const auto& frontends = entry.second->frontends;
    return std::any_of(frontends.begin(), frontends.end(), [&](const Frontend& frontend) {
      return frontend.key.address.family() == family;
    });
  });
}

void WarnOfForwarding(const std::string& name, const NetSysctl& sysctl,
                      std::vector<std::string>& warnings) {
  if (sysctl(name) != "0") return;
  warnings.push_back(absl::StrCat("/proc/sys/net/", name,
                                  " is 0: packets for pods are dropped; 1 lets them through"));
}

int NumberOf(const std::optional<std::string>& text) {
  int number = 0;
  return text.has_value() && absl::SimpleAtoi(*text, &number) ? number : 0;
}

// The kernel takes the stricter of "all" and that of the device, where 2 (loose) is
// more than 1 (strict).
void WarnOfReversePathFilter(const PacketDevice& device, const NetSysctl& sysctl,
                             std::vector<std::string>& warnings) {
  const std::string of_device = absl::StrCat("ipv4/conf/", device.name, "/rp_filter");
  if (std::max(NumberOf(sysctl("ipv4/conf/all/rp_filter")), NumberOf(sysctl(of_device))) != 1) {
    return;
  }
  warnings.push_back(
      absl::StrCat("the reverse path filter of ", device.name,
                   " is strict: what arrives there, but would be answered by another device, is "
                   "dropped; 2 in /proc/sys/net/",
                   of_device, " lets it in"));
}

// "30000-32767,8080"
std::vector<PortRange> RangesOf(const std::string& text) {
  std::vector<PortRange> ranges;
  for (const auto part : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const std::vector<std::string> ends = absl::StrSplit(part, '-');
    PortRange range;
    if (absl::SimpleAtoi(ends.front(), &range.first) &&
        absl::SimpleAtoi(ends.back(), &range.second)) {
      ranges.push_back(range);
    }
  }
  return ranges;
}

// "32768\t60999"
std::optional<PortRange> LocalPorts(const NetSysctl& sysctl) {
  const std::vector<std::string> ends = absl::StrSplit(
      sysctl("ipv4/ip_local_port_range").value_or(""), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  PortRange range;
  if (ends.size() != 2 || !absl::SimpleAtoi(ends[0], &range.first) ||
      !absl::SimpleAtoi(ends[1], &range.second)) {
    return std::nullopt;
  }
  return range;
}

bool Contains(const PortRange& range, uint16_t port) {
  return range.first <= port && port <= range.second;
}

}  // namespace

std::optional<std::string> ReadNetSysctl(const std::string& name) {
  std::ifstream file(absl::StrCat("/proc/sys/net/", name));
  std::string value;
  if (!std::getline(file, value)) return std::nullopt;
  return value;
}

std::vector<std::string> PacketWarnings(const DatapathState& state,
                                        const std::vector<PacketDevice>& devices,
                                        const NetSysctl& sysctl) {
  std::vector<std::string> warnings;
  if (HasFamily(state, Family::kIpv4)) {
    WarnOfForwarding("ipv4/ip_forward", sysctl, warnings);
    for (const PacketDevice& device : devices) WarnOfReversePathFilter(device, sysctl, warnings);
  }
  if (HasFamily(state, Family::kIpv6)) {
    WarnOfForwarding("ipv6/conf/all/forwarding", sysctl, warnings);
  }
  return warnings;
}

std::vector<std::string> NodePortWarnings(const DatapathState& state, const NetSysctl& sysctl) {
  const std::optional<PortRange> local = LocalPorts(sysctl);
  if (!local.has_value()) return {};
  const std::vector<PortRange> reserved =
      RangesOf(sysctl("ipv4/ip_local_reserved_ports").value_or(""));
  std::set<uint16_t> taken;
  for (const auto& [name, port] : state) {
    for (const Frontend& frontend : port->frontends) {
      const uint16_t node_port = frontend.key.port;
      if (frontend.kind == SHUNT_NODE_PORT && Contains(*local, node_port) &&
          std::none_of(reserved.begin(), reserved.end(),
                       [&](const PortRange& range) { return Contains(range, node_port); })) {
        taken.insert(node_port);
      }
    }
  }
  if (taken.empty()) return {};
  return {absl::StrCat(
      "the host gives node ports to its own sockets: ", *taken.begin(),
      taken.size() == 1 ? "" : absl::StrCat(" and ", taken.size() - 1, " more"),
      " of net.ipv4.ip_local_port_range; net.ipv4.ip_local_reserved_ports keeps them free")};
}

}  // namespace shunt
