// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/target.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

absl::StatusOr<uint16_t> ParsePort(const std::string& text) {
  uint32_t port = 0;
  if (!absl::SimpleAtoi(text, &port) || port == 0 || port > UINT16_MAX) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is not a port (1 to 65535)"));
  }
  return static_cast<uint16_t>(port);
}

// "10.96.0.10", "[fd00::10]".
absl::StatusOr<IpAddress> ParseHost(const std::string& text) {
  const bool brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (!brackets && text.find(':') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("an IPv6 address stands in brackets: [", text, "]:PORT"));
  }
  return IpAddress::Parse(brackets ? text.substr(1, text.size() - 2) : text);
}

}  // namespace

absl::StatusOr<shunt_protocol> ParseProtocol(const std::string& text) {
  const std::string upper = absl::AsciiStrToUpper(text);
  if (upper == "TCP") return SHUNT_TCP;
  if (upper == "UDP") return SHUNT_UDP;
  if (upper == "SCTP") return SHUNT_SCTP;
  return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is not TCP, UDP or SCTP"));
}

absl::StatusOr<FrontendKey> ParseTarget(const std::string& text) {
  FrontendKey key;
  std::string dialled = text;
  if (const size_t slash = text.find('/'); slash != std::string::npos) {
    SHUNT_ASSIGN_OR_RETURN(key.protocol, ParseProtocol(text.substr(slash + 1)));
    dialled.resize(slash);
  }
  const size_t colon = dialled.rfind(':');
  if (colon == std::string::npos || dialled.back() == ']') {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is not IP:PORT[/PROTOCOL]"));
  }
  SHUNT_ASSIGN_OR_RETURN(key.address, ParseHost(dialled.substr(0, colon)));
  SHUNT_ASSIGN_OR_RETURN(key.port, ParsePort(dialled.substr(colon + 1)));
  return key;
}

}  // namespace shunt
