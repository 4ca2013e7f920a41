// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_HTTP_HTTP_ADDRESS_H_
#define SHUNT_HTTP_HTTP_ADDRESS_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "userspace/base/ip_address.h"
#include "userspace/base/unique_fd.h"

namespace shunt {

// Where a server listens. An unspecified address means all of both families,
// as it does to kube-proxy (Go), whichever family it is written in.
struct HttpAddress {
  IpAddress ip;
  uint16_t port = 0;  // host byte order

  // "192.0.2.1:10256", "[::]:10256"; an address without a port, with or without
  // brackets, gets `default_port`. Names of hosts and port 0 are errors.
  static absl::StatusOr<HttpAddress> Parse(std::string_view text, uint16_t default_port);
  std::string ToString() const { return AddressAndPort(ip, port); }
  friend auto operator<=>(const HttpAddress&, const HttpAddress&) = default;
};

// A TCP socket that listens there and does not block. The status names the
// address.
absl::StatusOr<UniqueFd> ListenOn(const HttpAddress& address);

// Whose address a connection came in on.
Family FamilyOfConnection(int fd);

}  // namespace shunt

#endif  // SHUNT_HTTP_HTTP_ADDRESS_H_
