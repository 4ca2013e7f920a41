// SPDX-License-Identifier: Apache-2.0
#include "tests/support/state_builder.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace shunt::testing {
namespace {

// The address after this one.
IpAddress Next(const IpAddress& address) {
  IpAddress::Bytes bytes = address.bytes();
  for (int i = 15; i >= 0 && ++bytes[i] == 0; --i) {
  }
  return IpAddress(bytes);
}

}  // namespace

ServicePortName NameOf(const ServiceSpec& spec) {
  return {.name_space = "test", .name = spec.name, .port = "", .protocol = spec.protocol};
}

ServicePortStatePtr StateOf(const ServiceSpec& spec) {
  ServicePortState state;
  for (const HostPort& frontend : spec.frontends) {
    state.frontends.push_back(
        {.key = {.address = frontend.address, .port = frontend.port, .protocol = spec.protocol}});
  }
  for (const HostPort& backend : spec.backends) {
    state.backends.push_back(
        {.address = backend.address, .port = backend.port, .in_cluster_list = true});
  }
  std::sort(state.frontends.begin(), state.frontends.end());
  std::sort(state.backends.begin(), state.backends.end());
  return std::make_shared<const ServicePortState>(std::move(state));
}

DatapathState MakeState(const std::vector<ServiceSpec>& specs) {
  DatapathState state;
  for (const ServiceSpec& spec : specs) state[NameOf(spec)] = StateOf(spec);
  return state;
}

std::vector<HostPort> Range(absl::string_view first, int count) {
  std::vector<HostPort> result = {HostPort::Of(first)};
  while (static_cast<int>(result.size()) < count) {
    result.push_back({Next(result.back().address), result.back().port});
  }
  return result;
}

}  // namespace shunt::testing
