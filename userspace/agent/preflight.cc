// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/preflight.h"

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

const char* Word(Check::Outcome outcome) {
  switch (outcome) {
    case Check::Outcome::kOk:
      return "ok";
    case Check::Outcome::kNote:
      return "note";
    case Check::Outcome::kFail:
      return "FAIL";
  }
  return "";
}

// Errors are lines; so are warnings.
Checks ConfigurationChecks(const Options& options) {
  constexpr char kName[] = "configuration";
  Checks checks;
  if (!options.config_error.ok()) {
    for (const auto line : absl::StrSplit(options.config_error.message(), '\n')) {
      checks.push_back({Check::Outcome::kFail, kName, std::string(line)});
    }
  }
  for (const std::string& warning : options.config_warnings) {
    checks.push_back({Check::Outcome::kNote, kName, warning});
  }
  if (checks.empty())
    checks.push_back({Check::Outcome::kOk, kName, "all of it has a meaning here"});
  return checks;
}

}  // namespace

std::string ChecksText(const Checks& checks) {
  std::string text;
  for (const Check& check : checks) {
    absl::StrAppendFormat(&text, "%-5s %-15s %s\n", Word(check.outcome), check.name,
                          ForTerminal(check.text));
  }
  return text;
}

absl::Status Preflight(const Options& options) {
  Checks checks = KernelChecks();
  for (const Checks& part :
       {NeighbourChecks(options), ApiServerChecks(options), ConfigurationChecks(options)}) {
    checks.insert(checks.end(), part.begin(), part.end());
  }
  std::cout << ChecksText(checks) << std::flush;
  const auto failed = std::count_if(checks.begin(), checks.end(), [](const Check& check) {
    return check.outcome == Check::Outcome::kFail;
  });
  if (failed == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(failed, " of the checks failed"));
}

}  // namespace shunt
