// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BPF_SOCKET_STORAGE_H_
#define SHUNT_TESTS_BPF_SOCKET_STORAGE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "shunt/abi.h"
#include "tests/support/socket_address.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {

// What the programs noted of connected sockets: the pinned map shunt_socket.
// Thread-safe.
class SocketStorage {
 public:
  static absl::StatusOr<SocketStorage> Open(const std::string& bpffs);

  // nullopt: nothing is noted, the socket was not translated.
  std::optional<shunt_socket> Read(int socket) const;

 private:
  explicit SocketStorage(UniqueFd map) : map_(std::move(map)) {}

  UniqueFd map_;
};

HostPort ToHostPort(const shunt_peer& peer);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_BPF_SOCKET_STORAGE_H_
