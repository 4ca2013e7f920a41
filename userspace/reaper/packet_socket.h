// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_REAPER_PACKET_SOCKET_H_
#define SHUNT_REAPER_PACKET_SOCKET_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "userspace/base/unique_fd.h"

namespace shunt {

// UNIX sockets of whole packets (SOCK_SEQPACKET). None of these waits.

// Connects. NotFound or Unavailable (nobody listens) name the path.
absl::StatusOr<UniqueFd> ConnectPacketSocket(const std::string& path);

// Listens at `path` with mode 0600, in a directory that is made with mode 0750
// where there is none; replaces the socket of who is gone. AlreadyExists where
// somebody listens. Sets the process' umask for the time of the call.
absl::StatusOr<UniqueFd> ListenPacketSocket(const std::string& path);

// False: it was not sent, for the other end is gone or reads too slowly.
bool SendPacket(int fd, std::string_view packet);
// The next packet, "" where the other end is gone; nothing where none waits.
std::optional<std::string> ReceivePacket(int fd);

}  // namespace shunt

#endif  // SHUNT_REAPER_PACKET_SOCKET_H_
