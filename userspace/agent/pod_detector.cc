// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/pod_detector.h"

#include <algorithm>

#include "absl/container/btree_map.h"
#include "absl/strings/str_split.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

// The first of each family, as kube-proxy takes them.
std::vector<Cidr> FirstRanges(const std::string& text) {
  std::vector<Cidr> ranges;
  for (const absl::string_view word : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const absl::StatusOr<Cidr> range = Cidr::Parse(Std(word));
    if (range.ok() && std::none_of(ranges.begin(), ranges.end(), [&](const Cidr& other) {
          return other.family() == range->family();
        })) {
      ranges.push_back(*range);
    }
  }
  return ranges;
}

std::vector<Cidr> OfFamily(const std::vector<Cidr>& ranges, Family family) {
  std::vector<Cidr> result;
  std::copy_if(ranges.begin(), ranges.end(), std::back_inserter(result),
               [family](const Cidr& range) { return range.family() == family; });
  return result;
}

Cidr AllOf(Family family) {
  const char* all = family == Family::kIpv4 ? "0.0.0.0/0" : "::/0";
  return Cidr::Parse(all).value();
}

bool HasMode(const PodDetector& detector, PodDetector::Mode a, PodDetector::Mode b) {
  return detector.mode == a || detector.mode == b;
}

}  // namespace

bool PodDetector::IsOfPods(const std::string& name) const {
  return mode == Mode::kDevice ? name == device
                               : mode == Mode::kDevicePrefix && name.starts_with(device);
}

PodDetector PodDetectorOf(const ProxyConfig& config) {
  using Mode = PodDetector::Mode;
  const std::string& mode = config.Text("detectLocalMode");
  if (mode == "NodeCIDR") return {.mode = Mode::kNodeRanges};
  if (mode == "BridgeInterface") {
    return {.mode = Mode::kDevice, .device = config.Text("detectLocal.bridgeInterface")};
  }
  if (mode == "InterfaceNamePrefix") {
    return {.mode = Mode::kDevicePrefix, .device = config.Text("detectLocal.interfaceNamePrefix")};
  }
  return {.ranges = FirstRanges(config.Text("clusterCIDR"))};
}

std::vector<PacketOrigin> PacketOrigins(const PodDetector& detector,
                                        const std::vector<IpAddress>& host, const Node* node) {
  using Mode = PodDetector::Mode;
  absl::btree_map<Cidr, shunt_origin> origins;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const std::vector<Cidr> of_node =
        node == nullptr ? std::vector<Cidr>() : OfFamily(node->pod_cidrs, family);
    std::vector<Cidr> pods = OfFamily(detector.ranges, family);
    const bool tells_others =
        HasMode(detector, Mode::kDevice, Mode::kDevicePrefix) ||
        (detector.mode == Mode::kNodeRanges ? !of_node.empty() : !pods.empty());
    if (HasMode(detector, Mode::kRanges, Mode::kNodeRanges) && pods.empty()) pods = of_node;
    origins[AllOf(family)] = tells_others ? SHUNT_ORIGIN_OUTSIDE : SHUNT_ORIGIN_UNKNOWN;
    for (const Cidr& range : pods) origins[range] = SHUNT_ORIGIN_POD;
  }
  for (const IpAddress& address : host) origins[Cidr::Of(address)] = SHUNT_ORIGIN_HOST;
  std::vector<PacketOrigin> result;
  for (const auto& [range, origin] : origins) result.push_back({range, origin});
  return result;
}

}  // namespace shunt
