// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SCENARIO_SCENARIO_H_
#define SHUNT_TESTS_SCENARIO_SCENARIO_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "shunt/types.h"
#include "tests/support/dial.h"
#include "userspace/model/cluster.h"
#include "userspace/state/datapath_state.h"
#include "userspace/state/tracer.h"

namespace shunt::testing {

enum class TrafficFate {
  kBackends,  // served by one of `backends`, each of which has its chance
  kSticky,    // likewise, and always the same: that which this client had, if it is one of them
  kRefused,   // ECONNREFUSED at once
  kDropped,   // ETIMEDOUT: endpoints on other nodes only
  kDenied,    // ETIMEDOUT: no source range names the client
  kDirect,    // no Service: arrives where it was sent
};

// Where traffic starts.
enum class Origin {
  kPod,      // in a network namespace with the address `client`
  kHost,     // in the host's
  kOutside,  // a packet from `client` arrives
};

// A line under "--- traffic".
struct TrafficLine {
  std::string text;  // "one-service.scenario:12: pod 10.244.1.5 -> …"
  Origin origin = Origin::kPod;
  IpAddress client;  // of a pod, or outside
  HostPort to;
  DialOptions how;
  TrafficFate fate = TrafficFate::kBackends;
  std::vector<HostPort> backends;  // sorted

  bool IsServed() const { return fate == TrafficFate::kBackends || fate == TrafficFate::kSticky; }

  shunt_protocol protocol() const { return IsUdp(how.transport) ? SHUNT_UDP : SHUNT_TCP; }
  FrontendKey dialled() const {
    return {.address = to.address,
            .port = to.port,
            .protocol = protocol(),
            .scope = origin == Origin::kOutside ? SHUNT_SCOPE_OUTSIDE : SHUNT_SCOPE_NODE};
  }
  TraceClient tracer_client() const {
    if (origin == Origin::kHost) return {.in_host_namespace = true};
    return {.source = client};
  }
};

// The cluster as it is at first, or after one "--- change", and what becomes
// of traffic then.
struct Step {
  ClusterSnapshot cluster;
  std::vector<IpAddress> node_port_addresses;
  std::vector<TrafficLine> traffic;
  std::optional<std::string> dump;  // the table that is expected
};

struct Scenario {
  std::string node_name;
  std::vector<Step> steps;  // at least one
};

// Reads the language of README.md. An error names file and line.
absl::StatusOr<Scenario> ParseScenario(const std::string& file, const std::string& text);

// What a store would hand out when a cluster that was `before` is `after`.
ClusterChanges Difference(const ClusterSnapshot& before, const ClusterSnapshot& after);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SCENARIO_SCENARIO_H_
