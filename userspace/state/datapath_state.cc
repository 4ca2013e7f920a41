// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/datapath_state.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace shunt {

std::string ProtocolText(shunt_protocol protocol) {
  switch (protocol) {
    case SHUNT_ANY_PROTOCOL:
      return "*";
    case SHUNT_TCP:
      return "TCP";
    case SHUNT_UDP:
      return "UDP";
    case SHUNT_SCTP:
      return "SCTP";
  }
  return absl::StrCat("protocol-", static_cast<int>(protocol));
}

std::string ServicePortName::ToString() const {
  return port.empty() ? absl::StrCat(name_space, "/", name)
                      : absl::StrCat(name_space, "/", name, ":", port);
}

std::string FrontendKey::ToString() const {
  const std::string to = AddressAndPort(address, port);
  if (protocol == SHUNT_ANY_PROTOCOL) return absl::StrCat(to.substr(0, to.rfind(':')), ":*");
  return absl::StrCat(to, "/", ProtocolText(protocol),
                      scope == SHUNT_SCOPE_OUTSIDE ? " from outside" : "");
}

shunt_frontend_key FrontendKey::ToAbi() const {
  shunt_frontend_key key{.port = port, .protocol = protocol, .scope = scope};
  std::copy(address.bytes().begin(), address.bytes().end(), key.address.bytes);
  return key;
}

FrontendKey FrontendKey::FromAbi(const shunt_frontend_key& key) {
  IpAddress::Bytes bytes;
  std::copy(std::begin(key.address.bytes), std::end(key.address.bytes), bytes.begin());
  return {
      .address = IpAddress(bytes), .port = key.port, .protocol = key.protocol, .scope = key.scope};
}

std::vector<Backend> ServicePortState::ListOf(const Frontend& frontend) const {
  std::vector<Backend> list;
  std::copy_if(backends.begin(), backends.end(), std::back_inserter(list),
               [&](const Backend& backend) { return frontend.Chooses(backend); });
  return list;
}

}  // namespace shunt
