// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/cluster_access.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/sources/kubernetes/kubeconfig.h"

namespace shunt {
namespace {

absl::StatusOr<ServerUrl> ParseOption(const char* option, const std::string& text) {
  absl::StatusOr<ServerUrl> url = ServerUrl::Parse(text);
  if (url.ok()) return url;
  return absl::InvalidArgumentError(absl::StrCat(option, ": ", url.status().message()));
}

}  // namespace

absl::StatusOr<ClusterAccess> FindClusterAccess(const std::vector<std::string>& kubeconfigs,
                                                const std::string& master,
                                                const std::vector<std::string>& api_servers) {
  ClusterAccess access;
  const bool in_pod = kubeconfigs.empty();
  SHUNT_ASSIGN_OR_RETURN(access.config, in_pod ? InClusterConfig() : LoadKubeconfig(kubeconfigs));
  const std::string& tls_name = access.config.tls_server_name;
  access.servers.tls_name = tls_name;
  for (const std::string& text : api_servers) {
    SHUNT_ASSIGN_OR_RETURN(ServerUrl url, ParseOption("--api-servers", text));
    access.servers.written.push_back({.url = std::move(url), .tls_name = tls_name});
  }
  if (!master.empty()) {
    SHUNT_ASSIGN_OR_RETURN(access.config.server, ParseOption("--master", master));
  }
  const ServerAddress server = {.url = access.config.server, .tls_name = tls_name};
  if (in_pod && master.empty()) {
    access.servers.in_cluster = server;
  } else if (std::find(access.servers.written.begin(), access.servers.written.end(), server) ==
             access.servers.written.end()) {
    access.servers.written.push_back(server);
  }
  return access;
}

}  // namespace shunt
