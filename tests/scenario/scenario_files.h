// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SCENARIO_SCENARIO_FILES_H_
#define SHUNT_TESTS_SCENARIO_SCENARIO_FILES_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/scenario/scenario.h"

namespace shunt::testing {

// Paths of all *.scenario files beside this one, sorted.
std::vector<std::string> ScenarioFiles();

// "no_endpoints" for ".../no-endpoints.scenario", as gtest wants names.
std::string ScenarioName(const ::testing::TestParamInfo<std::string>& info);

absl::StatusOr<Scenario> LoadScenario(const std::string& path);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SCENARIO_SCENARIO_FILES_H_
