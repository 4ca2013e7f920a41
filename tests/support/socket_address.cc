// SPDX-License-Identifier: Apache-2.0
#include "tests/support/socket_address.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt::testing {

absl::StatusOr<HostPort> HostPort::Parse(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(text, " is not ADDRESS:PORT"));
  }
  absl::string_view address = text.substr(0, colon);
  const bool bracketed = absl::StartsWith(address, "[") && absl::EndsWith(address, "]");
  if (bracketed) address = address.substr(1, address.size() - 2);
  HostPort result;
  SHUNT_ASSIGN_OR_RETURN(result.address, IpAddress::Parse(std::string(address)));
  uint32_t port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(text, " has no port between 0 and 65535"));
  }
  if (bracketed != (result.address.family() == Family::kIpv6)) {
    return absl::InvalidArgumentError(
        absl::StrCat(text, ": brackets are for IPv6, and only there"));
  }
  result.port = static_cast<uint16_t>(port);
  return result;
}

HostPort HostPort::Of(absl::string_view text) {
  absl::StatusOr<HostPort> result = Parse(text);
  if (!result.ok()) {
    fprintf(stderr, "%s\n", result.status().ToString().c_str());
    abort();
  }
  return *result;
}

SocketAddress SocketAddress::From(const HostPort& host_port, bool mapped) {
  SocketAddress result;
  const IpAddress::Bytes& bytes = host_port.address.bytes();
  if (host_port.address.family() == Family::kIpv4 && !mapped) {
    auto* in = reinterpret_cast<sockaddr_in*>(&result.storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(host_port.port);
    memcpy(&in->sin_addr, bytes.data() + 12, 4);
    result.length = sizeof(*in);
    return result;
  }
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(host_port.port);
  memcpy(&in6->sin6_addr, bytes.data(), 16);
  result.length = sizeof(*in6);
  return result;
}

HostPort SocketAddress::ToHostPort() const {
  IpAddress::Bytes bytes = {};
  if (is_ipv6()) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    memcpy(bytes.data(), &in6->sin6_addr, 16);
    return {.address = IpAddress(bytes), .port = ntohs(in6->sin6_port)};
  }
  const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
  bytes[10] = bytes[11] = 0xff;
  memcpy(bytes.data() + 12, &in->sin_addr, 4);
  return {.address = IpAddress(bytes), .port = ntohs(in->sin_port)};
}

}  // namespace shunt::testing
