// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_UNIX_SOCKET_H_
#define SHUNT_API_UNIX_SOCKET_H_

#include <string>

#include "absl/status/status.h"

namespace shunt {

// The file of the API's socket: what gRPC does not do about it, for both ends.
// Thread-safe.

// InvalidArgument where the kernel takes no such path.
absl::Status CheckSocketPath(const std::string& path);

// Makes room for a socket at `path`: makes its directory (mode 0750) where there
// is none, removes the socket of an agent that is gone. AlreadyExists where
// somebody answers, FailedPrecondition where the file is no socket.
absl::Status PrepareSocketPath(const std::string& path);

// Whether somebody listens at `path`, without a word to it: else NotFound (no
// such file), Unavailable (nobody listens), PermissionDenied.
absl::Status ProbeSocket(const std::string& path);

// The name of the socket for gRPC: "unix:" and the path, escaped as in a URI.
std::string GrpcTarget(const std::string& path);

}  // namespace shunt

#endif  // SHUNT_API_UNIX_SOCKET_H_
