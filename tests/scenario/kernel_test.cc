// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/scenario/scenario.h"
#include "tests/scenario/scenario_files.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/net_namespace.h"
#include "userspace/planner/planner.h"
#include "userspace/state/dump.h"

namespace shunt::testing {
namespace {

// Each scenario in the kernel: planner, reconciler, programs, real sockets.
class ScenarioKernel : public DatapathTest, public ::testing::WithParamInterface<std::string> {};

using Places = std::set<std::pair<HostPort, shunt_protocol>>;

// Somebody listens wherever traffic could end, rightly or wrongly: at every
// endpoint, usable or not, at what is dialled directly, and at what is refused
// (so that a refusal is the programs' and not lo's).
Places ListeningPlaces(const Scenario& scenario) {
  Places places;
  for (const Step& step : scenario.steps) {
    for (const auto& [name, input] : step.cluster.services) {
      for (const auto& slice : input.slices) {
        for (const EndpointPort& port : slice->ports) {
          for (const Endpoint& endpoint : slice->endpoints) {
            places.insert({{endpoint.address, port.port}, port.protocol});
          }
        }
      }
    }
    for (const TrafficLine& line : step.traffic) {
      if (line.fate != TrafficFate::kBackends) places.insert({line.to, line.protocol()});
    }
  }
  return places;
}

std::vector<IpAddress> Clients(const Scenario& scenario) {
  std::vector<IpAddress> clients;
  for (const Step& step : scenario.steps) {
    for (const TrafficLine& line : step.traffic) clients.push_back(*line.how.source);
  }
  return clients;
}

// What the client was shown is what it dialled.
void ExpectDialledIsShown(const TrafficLine& line, const DialResult& result) {
  if (line.how.transport != Transport::kUdp) {
    EXPECT_EQ(result.peer, line.to.ToString());
  }
  if (IsUdp(line.how.transport)) {
    EXPECT_EQ(result.from, line.to.ToString());
  }
}

void ExpectBackends(const TrafficLine& line) {
  std::set<std::string> expected, seen;
  for (const HostPort& backend : line.backends) expected.insert(backend.ToString());
  // Each is missed with a chance of (1 - 1/n)^(64 n), below e^-64.
  const size_t most_tries = 64 * expected.size();
  for (size_t i = 0; i < most_tries && seen != expected; ++i) {
    const DialResult result = Dial(line.to, line.how);
    ASSERT_EQ(result.error, 0) << result.ToString();
    ASSERT_TRUE(expected.contains(result.answer)) << result.ToString();
    ExpectDialledIsShown(line, result);
    seen.insert(result.answer);
  }
  EXPECT_EQ(seen, expected) << "not all were chosen in " << most_tries << " tries";
}

void Check(const TrafficLine& line) {
  SCOPED_TRACE(line.origin);
  if (line.fate == TrafficFate::kBackends) return ExpectBackends(line);
  const DialResult result = Dial(line.to, line.how);
  if (line.fate == TrafficFate::kRefused) {
    EXPECT_EQ(result.error, ECONNREFUSED) << result.ToString();
    return;
  }
  EXPECT_EQ(result.answer, line.to.ToString()) << result.ToString();
  ExpectDialledIsShown(line, result);
}

TEST_P(ScenarioKernel, TrafficEndsWhereTheFileSays) {
  absl::StatusOr<Scenario> scenario = LoadScenario(GetParam());
  ASSERT_TRUE(scenario.ok()) << scenario.status().message();
  std::vector<Listener> listeners;
  for (const auto& [at, protocol] : ListeningPlaces(*scenario)) {
    listeners.push_back({.at = at, .protocol = protocol});
  }
  Serve(listeners);
  ASSERT_TRUE(AddLoopbackAddresses(Clients(*scenario)).ok());
  Planner planner(scenario->node_name);
  ClusterSnapshot before;
  for (const Step& step : scenario->steps) {
    StateChanges changes = planner.Update(Difference(before, step.cluster));
    ApplyChanges(changes);
    EXPECT_EQ(DumpOfKernel(), Dump(planner.state()));
    for (const TrafficLine& line : step.traffic) Check(line);
    before = step.cluster;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ScenarioKernel, ::testing::ValuesIn(ScenarioFiles()), ScenarioName);

}  // namespace
}  // namespace shunt::testing
