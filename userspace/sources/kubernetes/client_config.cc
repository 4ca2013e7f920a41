// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/client_config.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

absl::StatusOr<ClientConfig> InClusterConfig(const std::string& directory) {
  std::string host = Environment("KUBERNETES_SERVICE_HOST");
  const std::string port = Environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    return absl::FailedPreconditionError(
        "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod");
  }
  if (host.find(':') != std::string::npos && host.front() != '[') host = "[" + host + "]";
  absl::StatusOr<ServerUrl> server = ServerUrl::Parse(absl::StrCat("https://", host, ":", port));
  if (!server.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: ", server.status().message()));
  }
  return ClientConfig{.server = *std::move(server),
                      .authority = {.file = directory + "/ca.crt"},
                      .token_file = directory + "/token"};
}

}  // namespace shunt
