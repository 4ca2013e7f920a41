// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_SOCKETS_H_
#define SHUNT_DATAPATH_SOCKETS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/base/ip_address.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// An end of a connection.
struct SocketEnd {
  IpAddress address;
  uint16_t port = 0;  // host byte order

  std::string ToString() const { return AddressAndPort(address, port); }
  friend bool operator==(const SocketEnd&, const SocketEnd&) = default;
};

// A socket that was translated and still is connected to what it was given.
struct TranslatedSocket {
  ServicePortName service;  // with its protocol; "?/42" where that service port is gone
  uint32_t netns = 0;       // inode number of its network namespace
  uint64_t cookie = 0;      // SO_COOKIE, as `ss -e` shows it
  SocketEnd local, dialled, backend;
  bool stale = false;  // the backend is gone

  friend bool operator==(const TranslatedSocket&, const TranslatedSocket&) = default;
};

// The translated sockets of all network namespaces, sorted by service, then
// namespace, then their own end. From the maps that are pinned in `bpffs`.
// NotFound where nothing is pinned; PermissionDenied without CAP_PERFMON.
// Thread-safe; loads a program, so it takes tens of milliseconds.
absl::StatusOr<std::vector<TranslatedSocket>> ReadSockets(const std::string& bpffs);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_SOCKETS_H_
