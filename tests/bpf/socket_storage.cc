// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/socket_storage.h"

#include <bpf/bpf.h>

#include <cstring>
#include <optional>
#include <string>

#include "userspace/base/status.h"

namespace shunt::testing {

absl::StatusOr<SocketStorage> SocketStorage::Open(const std::string& bpffs) {
  const std::string pin = bpffs + "/shunt_socket";
  UniqueFd map(bpf_obj_get(pin.c_str()));
  if (!map.ok()) return ErrnoStatus(pin);
  return SocketStorage(std::move(map));
}

std::optional<shunt_socket> SocketStorage::Read(int socket) const {
  shunt_socket value;
  if (bpf_map_lookup_elem(map_.get(), &socket, &value) != 0) return std::nullopt;
  return value;
}

HostPort ToHostPort(const shunt_peer& peer) {
  IpAddress::Bytes bytes;
  memcpy(bytes.data(), peer.address.bytes, sizeof(bytes));
  return {IpAddress(bytes), peer.port};
}

}  // namespace shunt::testing
