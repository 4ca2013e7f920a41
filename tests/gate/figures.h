// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_GATE_FIGURES_H_
#define SHUNT_TESTS_GATE_FIGURES_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace shunt::testing {

// By what is counted ("verified instructions"), then by whose they are.
using Figures = std::map<std::string, std::map<std::string, double>>;

// Of the programs and maps pinned in a directory: "verified instructions" and
// "bytes of kernel memory".
absl::StatusOr<Figures> FiguresOfPins(const std::string& directory);

// What the control thread does when a whole cluster arrives in empty maps, and
// when one endpoint moves, in a small and in a large one.
absl::StatusOr<Figures> FiguresOfUpdates();

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_GATE_FIGURES_H_
