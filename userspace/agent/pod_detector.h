// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_POD_DETECTOR_H_
#define SHUNT_AGENT_POD_DETECTOR_H_

#include <string>
#include <vector>

#include "userspace/config/proxy_config.h"
#include "userspace/datapath/packet_origin.h"
#include "userspace/model/node.h"

namespace shunt {

// How packets of pods are told from those of others: kube-proxy's
// detectLocalMode, with what belongs to the mode.
struct PodDetector {
  enum class Mode : uint8_t { kRanges, kNodeRanges, kDevice, kDevicePrefix };

  Mode mode = Mode::kRanges;
  std::vector<Cidr> ranges;  // kRanges: one of each family at most
  std::string device;        // kDevice, kDevicePrefix: its name, or how it begins

  // Whether what arrives at a device of that name is from pods.
  bool IsOfPods(const std::string& name) const;
};

// Of a configuration that is valid.
PodDetector PodDetectorOf(const ProxyConfig& config);

// Who sends from which addresses: pods, this node with the addresses `host`, and
// all others, in families in which the detector can tell them. Where no detector
// is configured the Node's own ranges are those of pods, and of all others nobody
// knows what they are. `node`: null where it is not known. Pure.
std::vector<PacketOrigin> PacketOrigins(const PodDetector& detector,
                                        const std::vector<IpAddress>& host, const Node* node);

}  // namespace shunt

#endif  // SHUNT_AGENT_POD_DETECTOR_H_
