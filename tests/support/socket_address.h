// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_SOCKET_ADDRESS_H_
#define SHUNT_TESTS_SUPPORT_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "userspace/base/ip_address.h"

namespace shunt::testing {

// An address and a port in host byte order: "10.0.0.1:80", "[fd00::1]:80".
struct HostPort {
  IpAddress address;
  uint16_t port = 0;

  static absl::StatusOr<HostPort> Parse(absl::string_view text);
  // For literals in tests: aborts on what is none.
  static HostPort Of(absl::string_view text);

  std::string ToString() const { return AddressAndPort(address, port); }
  friend auto operator<=>(const HostPort&, const HostPort&) = default;
};

// A HostPort as the system calls want it.
struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t length = sizeof(storage);

  // `mapped`: an IPv4 address as ::ffff:a.b.c.d, for an IPv6 socket.
  static SocketAddress From(const HostPort& host_port, bool mapped = false);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  // A mapped address reads as the IPv4 address that it is.
  HostPort ToHostPort() const;
  bool is_ipv6() const { return storage.ss_family == AF_INET6; }
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_SOCKET_ADDRESS_H_
