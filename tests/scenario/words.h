// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SCENARIO_WORDS_H_
#define SHUNT_TESTS_SCENARIO_WORDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "shunt/types.h"
#include "userspace/model/object.h"

namespace shunt::testing {

// The words that a scenario's lines are made of.

std::vector<std::string> SplitWords(const std::string& line);

absl::StatusOr<NamespacedName> ParseName(const std::string& word);  // "shop/web"

// "TEXT/UDP": cuts the protocol off `word`; TCP where there is none.
absl::StatusOr<shunt_protocol> TakeProtocol(std::string& word);

// "http:80/TCP", "80/TCP", "80".
struct PortWord {
  std::string name;
  uint16_t port = 0;
  shunt_protocol protocol = SHUNT_TCP;

  friend auto operator<=>(const PortWord&, const PortWord&) = default;
};
absl::StatusOr<PortWord> ParsePort(std::string word);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SCENARIO_WORDS_H_
