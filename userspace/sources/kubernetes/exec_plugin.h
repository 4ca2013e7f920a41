// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_EXEC_PLUGIN_H_
#define SHUNT_SOURCES_KUBERNETES_EXEC_PLUGIN_H_

#include <atomic>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "userspace/sources/kubernetes/client_config.h"

namespace shunt {

// What a credential plugin printed.
struct ExecCredential {
  std::string token;
  std::string certificate, key;  // both or none
  absl::Time expires = absl::InfiniteFuture();
};

// Runs the plugin of `config.exec` and waits for it, at most `limit`; it is ended
// then, as it is once `stop` is set. It gets no terminal, and what it prints on
// stderr is not shown: it may be a secret.
absl::StatusOr<ExecCredential> RunExecPlugin(const ClientConfig& config, absl::Duration limit,
                                             const std::atomic<bool>& stop);

// What a plugin is to print. The error holds nothing of it.
absl::StatusOr<ExecCredential> ParseExecCredential(std::string_view output,
                                                   std::string_view api_version);

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_EXEC_PLUGIN_H_
