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

namespace shunt::testing {

enum class TrafficFate {
  kBackends,  // served by one of `backends`, each of which has its chance
  kRefused,   // ECONNREFUSED at once
  kDirect,    // no Service: arrives where it was sent
};

// A line under "--- traffic".
struct TrafficLine {
  std::string origin;  // "one-service.scenario:12: pod 10.244.1.5 -> …"
  HostPort to;
  DialOptions how;
  TrafficFate fate = TrafficFate::kBackends;
  std::vector<HostPort> backends;  // sorted

  shunt_protocol protocol() const { return IsUdp(how.transport) ? SHUNT_UDP : SHUNT_TCP; }
  FrontendKey dialled() const {
    return {.address = to.address, .port = to.port, .protocol = protocol()};
  }
};

// The cluster as it is at first, or after one "--- change", and what becomes
// of traffic then.
struct Step {
  ClusterSnapshot cluster;
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
