// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_CLIENT_CONFIG_H_
#define SHUNT_SOURCES_KUBERNETES_CLIENT_CONFIG_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/sources/kubernetes/url.h"

namespace shunt {

// A certificate or key: its text, or the file that holds it and may be replaced
// at any time.
struct PemSource {
  std::string data;
  std::string file;

  bool empty() const { return data.empty() && file.empty(); }
};

// A program that prints credentials.
struct ExecConfig {
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string api_version;
  std::string install_hint;
  bool provide_cluster_info = false;
};

// How to reach an API server and who we are there.
struct ClientConfig {
  ServerUrl server;
  std::string tls_server_name;  // "" for the server's host
  PemSource authority;          // empty: the system's
  std::string proxy_url;
  bool disable_compression = false;

  PemSource certificate, key;
  std::string token;
  std::string token_file;  // goes before `token`
  std::string username, password;
  std::vector<std::string> impersonation;  // headers
  std::optional<ExecConfig> exec;
};

// From what a pod finds in its environment (KUBERNETES_SERVICE_HOST, ..._PORT)
// and in `directory`, where its ServiceAccount's files are.
absl::StatusOr<ClientConfig> InClusterConfig(
    const std::string& directory = "/var/run/secrets/kubernetes.io/serviceaccount");

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_CLIENT_CONFIG_H_
