// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/sctp_warnings.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace shunt {
namespace {

bool IsLeftAlone(const ServicePortState& port, const Frontend& frontend) {
  return std::any_of(port.backends.begin(), port.backends.end(), [&](const Backend& backend) {
    return frontend.Chooses(backend) && backend.port != frontend.key.port;
  });
}

}  // namespace

std::vector<std::string> SctpWarnings(const DatapathState& state) {
  size_t count = 0;
  std::string first;
  for (const auto& [name, port] : state) {
    if (name.protocol != SHUNT_SCTP) continue;
    for (const Frontend& frontend : port->frontends) {
      if (!IsLeftAlone(*port, frontend)) continue;
      if (count++ == 0) first = absl::StrCat(frontend.key.ToString(), " of ", name.ToString());
    }
  }
  if (count == 0) return {};
  return {absl::StrCat(
      count, " SCTP frontends are not served, the first of them ", first,
      ": its port is not that of the endpoints, and SCTP's checksum forbids to change it")};
}

}  // namespace shunt
