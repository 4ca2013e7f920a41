// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/words.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "userspace/base/status.h"

namespace shunt::testing {

std::vector<std::string> SplitWords(const std::string& line) {
  return absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
}

absl::StatusOr<NamespacedName> ParseName(const std::string& word) {
  const std::vector<std::string> parts = absl::StrSplit(word, '/');
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
    return absl::InvalidArgumentError(absl::StrCat(word, " is not NAMESPACE/NAME"));
  }
  return NamespacedName{.name_space = parts[0], .name = parts[1]};
}

absl::StatusOr<shunt_protocol> TakeProtocol(std::string& word) {
  const size_t slash = word.rfind('/');
  if (slash == std::string::npos) return SHUNT_TCP;
  const std::string protocol = word.substr(slash + 1);
  word.resize(slash);
  if (protocol == "TCP") return SHUNT_TCP;
  if (protocol == "UDP") return SHUNT_UDP;
  if (protocol == "SCTP") return SHUNT_SCTP;
  return absl::InvalidArgumentError(absl::StrCat(protocol, " is not TCP, UDP or SCTP"));
}

absl::StatusOr<PortWord> ParsePort(std::string word) {
  PortWord result;
  SHUNT_ASSIGN_OR_RETURN(result.protocol, TakeProtocol(word));
  std::string number = word;
  if (const size_t colon = word.rfind(':'); colon != std::string::npos) {
    result.name = word.substr(0, colon);
    number = word.substr(colon + 1);
  }
  uint32_t port = 0;
  if (!absl::SimpleAtoi(number, &port) || port == 0 || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(word, " is not [NAME:]PORT[/PROTOCOL]"));
  }
  result.port = static_cast<uint16_t>(port);
  return result;
}

}  // namespace shunt::testing
