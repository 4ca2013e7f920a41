// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_KUBECONFIG_H_
#define SHUNT_SOURCES_KUBERNETES_KUBECONFIG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/sources/kubernetes/client_config.h"

namespace shunt {

// Reads the current context of kubeconfig files, as kubectl does: of several
// files the first that has a cluster, a user, a context or the current context
// counts; what is relative is relative to its file. The error says file, line,
// key and what was expected, and never a value that may be secret.
absl::StatusOr<ClientConfig> LoadKubeconfig(const std::vector<std::string>& files);

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_KUBECONFIG_H_
