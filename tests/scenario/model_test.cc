// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/scenario/scenario.h"
#include "tests/scenario/scenario_files.h"
#include "userspace/planner/planner.h"
#include "userspace/state/dump.h"
#include "userspace/state/tracer.h"

namespace shunt::testing {
namespace {

// Each scenario in the model: planner and tracer, without a kernel.
class ScenarioModel : public ::testing::TestWithParam<std::string> {};

std::vector<HostPort> Candidates(const Trace& trace) {
  std::vector<HostPort> result;
  for (const Backend& backend : trace.candidates) result.push_back({backend.address, backend.port});
  std::sort(result.begin(), result.end());
  return result;
}

bool IsVerdictOf(TrafficFate fate, shunt_verdict verdict) {
  switch (fate) {
    case TrafficFate::kBackends:
    case TrafficFate::kSticky:
      return verdict == SHUNT_TRANSLATED;
    case TrafficFate::kRefused:
      return verdict == SHUNT_NO_ENDPOINT || verdict == SHUNT_NO_PORT;
    case TrafficFate::kDropped:
      return verdict == SHUNT_NO_LOCAL_ENDPOINT;
    case TrafficFate::kDenied:
      return verdict == SHUNT_SOURCE_DENIED;
    case TrafficFate::kDirect:
      return verdict == SHUNT_NOT_A_SERVICE;
  }
  return false;
}

void Check(const TrafficLine& line, const DatapathState& state) {
  SCOPED_TRACE(line.text);
  const Trace trace = TraceConnect(state, line.dialled(), line.tracer_client());
  EXPECT_TRUE(IsVerdictOf(line.fate, trace.verdict)) << VerdictName(trace.verdict);
  EXPECT_EQ(Candidates(trace), line.backends);
  if (line.IsServed()) {
    EXPECT_EQ(trace.affinity_timeout_s > 0, line.fate == TrafficFate::kSticky);
  }
}

TEST_P(ScenarioModel, TrafficEndsWhereTheFileSays) {
  absl::StatusOr<Scenario> scenario = LoadScenario(GetParam());
  ASSERT_TRUE(scenario.ok()) << scenario.status().message();
  Planner planner(scenario->node_name);
  ClusterSnapshot before;
  for (const Step& step : scenario->steps) {
    const DatapathState state = Plan(step.cluster, scenario->node_name, step.node_port_addresses);
    planner.SetNodePortAddresses(step.node_port_addresses);
    planner.Update(Difference(before, step.cluster));
    EXPECT_EQ(Dump(planner.state()), Dump(state)) << "planned step by step, and from scratch";
    if (step.dump.has_value()) {
      EXPECT_EQ(Dump(state), *step.dump);
    }
    for (const TrafficLine& line : step.traffic) Check(line, state);
    before = step.cluster;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ScenarioModel, ::testing::ValuesIn(ScenarioFiles()), ScenarioName);

}  // namespace
}  // namespace shunt::testing
