// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_MODEL_ENDPOINT_SLICE_H_
#define SHUNT_MODEL_ENDPOINT_SLICE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "shunt/types.h"
#include "userspace/base/ip_address.h"
#include "userspace/model/object.h"

namespace shunt {

// An element of hints.forZones[] or hints.forNodes[]: who should use an endpoint.
struct EndpointHint {
  enum class Kind : uint8_t { kZone, kNode };

  Kind kind = Kind::kZone;
  std::string name;

  friend bool operator==(const EndpointHint&, const EndpointHint&) = default;
};

// An element of endpoints[]: its first address, and its conditions with the
// defaults filled in (ready and serving nil mean true, terminating nil false).
struct Endpoint {
  IpAddress address;
  std::string node_name;  // "" where unknown
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  // One list for both kinds: there are many endpoints, and most have no hints.
  std::vector<EndpointHint> hints;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// An element of ports[]: the number may differ from slice to slice.
struct EndpointPort {
  std::string name;  // "" joins the unnamed port of the Service
  shunt_protocol protocol = SHUNT_TCP;
  uint16_t port = 0;  // host byte order

  friend bool operator==(const EndpointPort&, const EndpointPort&) = default;
};

// A discovery.k8s.io/v1 EndpointSlice of addressType IPv4 or IPv6.
struct EndpointSlice {
  ObjectMeta meta;
  // Label kubernetes.io/service-name in the slice's namespace.
  NamespacedName service;
  Family family = Family::kIpv4;
  std::vector<EndpointPort> ports;
  std::vector<Endpoint> endpoints;
  // Annotation endpoints.kubernetes.io/last-change-trigger-time.
  absl::Time trigger_time = absl::InfinitePast();

  friend bool operator==(const EndpointSlice&, const EndpointSlice&) = default;
};

}  // namespace shunt

#endif  // SHUNT_MODEL_ENDPOINT_SLICE_H_
