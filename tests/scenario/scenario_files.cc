// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/scenario_files.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "userspace/base/status.h"

namespace shunt::testing {

std::vector<std::string> ScenarioFiles() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(SHUNT_SCENARIO_DIRECTORY)) {
    if (entry.path().extension() == ".scenario") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string ScenarioName(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).stem();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

absl::StatusOr<Scenario> LoadScenario(const std::string& path) {
  SHUNT_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  return ParseScenario(std::filesystem::path(path).filename(), text);
}

}  // namespace shunt::testing
