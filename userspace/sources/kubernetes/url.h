// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_URL_H_
#define SHUNT_SOURCES_KUBERNETES_URL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace shunt {

// A value for the query of a URL.
std::string UrlEncoded(std::string_view text);

// Where an API server is: "https://10.0.0.1:6443", "https://[fd00::1]/prefix".
struct ServerUrl {
  std::string host;  // a name, or an address without brackets
  uint16_t port = 443;
  std::string path;  // "" or "/prefix"

  // "host:port", with brackets where it needs them.
  std::string HostAndPort() const;
  std::string ToString() const;

  // Also without a scheme. The error says what is wrong with it, and not where it
  // was found.
  static absl::StatusOr<ServerUrl> Parse(std::string_view text);

  friend bool operator==(const ServerUrl&, const ServerUrl&) = default;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_URL_H_
