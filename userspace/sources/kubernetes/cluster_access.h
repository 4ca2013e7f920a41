// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_CLUSTER_ACCESS_H_
#define SHUNT_SOURCES_KUBERNETES_CLUSTER_ACCESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/sources/kubernetes/api_servers.h"
#include "userspace/sources/kubernetes/client_config.h"

namespace shunt {

// Who we are at the API, and where it is: what the command line, kubeconfig
// files and a pod's environment say together.
struct ClusterAccess {
  ClientConfig config;
  ApiServers::Config servers;
};

// `kubeconfigs` empty: a pod. `master` goes before kubeconfig's server and
// `api_servers` before both; "" and empty where they are not given.
absl::StatusOr<ClusterAccess> FindClusterAccess(const std::vector<std::string>& kubeconfigs,
                                                const std::string& master,
                                                const std::vector<std::string>& api_servers);

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_CLUSTER_ACCESS_H_
