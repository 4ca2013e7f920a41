// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/first_address.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>

namespace shunt {
namespace {

IpAddress AddressOf(const sockaddr* address) {
  IpAddress::Bytes bytes{};
  if (address->sa_family == AF_INET) {
    bytes[10] = bytes[11] = 0xff;
    memcpy(&bytes[12], &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
  } else {
    memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
  }
  return IpAddress(bytes);
}

}  // namespace

std::optional<IpAddress> FirstAddress(Family family) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  const int wanted = family == Family::kIpv4 ? AF_INET : AF_INET6;
  // In the order of the interfaces and, in each, of its addresses, as the kernel
  // lists them.
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != wanted) continue;
    if ((entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    const IpAddress address = AddressOf(entry->ifa_addr);
    if (!address.IsLinkLocal()) return address;
  }
  return std::nullopt;
}

}  // namespace shunt
