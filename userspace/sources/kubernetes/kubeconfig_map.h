// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_KUBECONFIG_MAP_H_
#define SHUNT_SOURCES_KUBERNETES_KUBECONFIG_MAP_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "userspace/sources/kubernetes/client_config.h"
#include "userspace/sources/manifests/yaml_node.h"

namespace shunt {

// A map of a kubeconfig. What is absent is empty; what has the wrong type is an
// error that says file, line and key, but not the value: it may be a secret.
// A view: node and file outlive it.
class KubeconfigMap {
 public:
  KubeconfigMap(const YamlNode& node, const std::string& file, std::string path)
      : node_(&node), file_(&file), path_(std::move(path)) {}

  bool Has(std::string_view key) const;
  absl::StatusOr<std::string> Text(std::string_view key) const;
  absl::StatusOr<std::string> Required(std::string_view key) const;
  absl::StatusOr<bool> Bool(std::string_view key) const;
  absl::StatusOr<KubeconfigMap> Map(std::string_view key) const;
  absl::StatusOr<std::vector<std::string>> Texts(std::string_view key) const;
  absl::StatusOr<std::vector<KubeconfigMap>> Maps(std::string_view key) const;
  using NamedTexts = std::vector<std::pair<std::string, std::vector<std::string>>>;
  absl::StatusOr<NamedTexts> TextLists(std::string_view key) const;
  // KEY-data (base64), else the file KEY.
  absl::StatusOr<PemSource> Pem(const std::string& key) const;

  // A path as it is meant in this file.
  std::string Resolve(const std::string& path) const;

  absl::Status Error(std::string_view key, std::string message) const;

 private:
  const YamlNode* Find(std::string_view key) const;

  const YamlNode* node_;
  const std::string* file_;
  std::string path_;  // "users[2].user"
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_KUBECONFIG_MAP_H_
