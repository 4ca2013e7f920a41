// SPDX-License-Identifier: Apache-2.0
#include "userspace/http/http_address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

constexpr int kBacklog = 128;

// The two halves of "HOST:PORT"; no port where there is none.
struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

HostAndPort Split(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return {text, std::nullopt};
    const std::string_view rest = text.substr(end + 1);
    if (rest.empty()) return {text.substr(1, end - 1), std::nullopt};
    if (rest.front() != ':') return {text, std::nullopt};  // no address: refused as such
    return {text.substr(1, end - 1), rest.substr(1)};
  }
  const size_t colon = text.rfind(':');
  // More than one colon without brackets: an IPv6 address alone.
  if (colon == std::string_view::npos || text.find(':') != colon) return {text, std::nullopt};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

absl::StatusOr<uint16_t> ParsePort(std::string_view text) {
  int port = 0;
  if (!absl::SimpleAtoi(Absl(text), &port) || port < 1 || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is not a port (1 to 65535)"));
  }
  return static_cast<uint16_t>(port);
}

absl::StatusOr<UniqueFd> NewSocket(int domain) {
  UniqueFd fd(socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.ok()) return ErrnoStatus("socket");
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  return fd;
}

bool KernelHasIpv6() { return UniqueFd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)).ok(); }

absl::StatusOr<UniqueFd> BindIpv6(const HttpAddress& address) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, NewSocket(AF_INET6));
  sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(address.port)};
  // All addresses: of both families, and then the family as written is no matter.
  const int only_v6 = address.ip.IsUnspecified() ? 0 : 1;
  if (only_v6) std::memcpy(&name.sin6_addr, address.ip.bytes().data(), sizeof(name.sin6_addr));
  setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6));
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) < 0) {
    return ErrnoStatus("bind");
  }
  return fd;
}

absl::StatusOr<UniqueFd> BindIpv4(const HttpAddress& address) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, NewSocket(AF_INET));
  sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(address.port)};
  std::memcpy(&name.sin_addr, address.ip.bytes().data() + 12, sizeof(name.sin_addr));
  if (address.ip.IsUnspecified()) name.sin_addr.s_addr = INADDR_ANY;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) < 0) {
    return ErrnoStatus("bind");
  }
  return fd;
}

absl::StatusOr<UniqueFd> Bind(const HttpAddress& address) {
  if (!address.ip.IsUnspecified()) {
    return address.ip.family() == Family::kIpv4 ? BindIpv4(address) : BindIpv6(address);
  }
  return KernelHasIpv6() ? BindIpv6(address) : BindIpv4(address);
}

}  // namespace

absl::StatusOr<HttpAddress> HttpAddress::Parse(std::string_view text, uint16_t default_port) {
  const HostAndPort parts = Split(text);
  const absl::StatusOr<IpAddress> ip = IpAddress::Parse(parts.host);
  if (!ip.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is not ADDRESS:PORT, such as 0.0.0.0:", default_port,
                     " or [::]:", default_port));
  }
  HttpAddress address = {.ip = *ip, .port = default_port};
  if (parts.port) {
    SHUNT_ASSIGN_OR_RETURN(address.port, ParsePort(*parts.port));
  }
  return address;
}

absl::StatusOr<UniqueFd> ListenOn(const HttpAddress& address) {
  absl::StatusOr<UniqueFd> fd = Bind(address);
  if (fd.ok() && listen(fd->get(), kBacklog) < 0) fd = ErrnoStatus("listen");
  if (fd.ok()) return fd;
  return absl::Status(fd.status().code(), absl::StrCat("cannot listen on ", address.ToString(),
                                                       ": ", fd.status().message()));
}

Family FamilyOfConnection(int fd) {
  sockaddr_storage name = {};
  socklen_t length = sizeof(name);
  getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length);
  if (name.ss_family != AF_INET6) return Family::kIpv4;
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(name).sin6_addr, bytes.size());
  return IpAddress(bytes).family();  // an IPv4 client of a socket for both is ::ffff:a.b.c.d
}

}  // namespace shunt
