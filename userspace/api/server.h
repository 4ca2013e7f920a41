// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_SERVER_H_
#define SHUNT_API_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "userspace/api/agent_view.h"

namespace shunt {

// Answers shunt.v1.Shunt, health and reflection on a UNIX socket until it is
// destroyed. Has threads of its own. gRPC stays out of this header: it would
// cost each file that includes it seconds to compile.
class ApiServer {
 public:
  // When it returns, clients can connect: the socket exists with mode 0660, in
  // a directory that is made with mode 0750 where there is none, and never had
  // wider rights. Sets the process' umask for the time of the call. The socket
  // of an agent that is gone is replaced; AlreadyExists where one answers.
  // `source` must outlive the server.
  static absl::StatusOr<std::unique_ptr<ApiServer>> Start(const std::string& socket_path,
                                                          AgentViewSource& source);

  // Stops and removes the socket, within a second and whatever clients do.
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

 private:
  struct Parts;
  explicit ApiServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace shunt

#endif  // SHUNT_API_SERVER_H_
