// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/kubeconfig.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"
#include "userspace/sources/kubernetes/kubeconfig_map.h"
#include "userspace/sources/manifests/file_reader.h"
#include "userspace/sources/manifests/yaml_reader.h"

namespace shunt {
namespace {

constexpr size_t kMostBytes = 1 << 20;

// A file that was read. Its nodes live as long as its reader.
struct File {
  std::string path;
  std::string text;
  std::unique_ptr<YamlReader> reader;
  const YamlNode* root = nullptr;
};

absl::StatusOr<std::unique_ptr<File>> ReadFile(const std::string& path) {
  auto file = std::make_unique<File>(File{.path = path});
  absl::StatusOr<std::string> text = ReadManifestFile(path, kMostBytes);
  if (!text.ok()) {
    return absl::Status(text.status().code(), absl::StrCat(path, ": ", text.status().message()));
  }
  file->text = *std::move(text);
  file->reader = std::make_unique<YamlReader>(file->text);
  const absl::StatusOr<YamlReader::Step> step = file->reader->Next();
  if (!step.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":", file->reader->line(), ": ", step.status().message()));
  }
  if (*step == YamlReader::Step::kDocument) file->root = file->reader->root();
  if (file->root == nullptr || file->root->type != YamlNode::Type::kMap) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ":1: this is no kubeconfig: a map with clusters, contexts and users is "
                     "expected"));
  }
  return file;
}

using Files = std::vector<std::unique_ptr<File>>;

// The element `name` of a list ("clusters"), its member `key` ("cluster").
absl::StatusOr<KubeconfigMap> FindNamed(const Files& files, std::string_view list,
                                        std::string_view key, const std::string& name) {
  for (const auto& file : files) {
    const KubeconfigMap root(*file->root, file->path, "");
    SHUNT_ASSIGN_OR_RETURN(const std::vector<KubeconfigMap> elements, root.Maps(list));
    for (const KubeconfigMap& element : elements) {
      SHUNT_ASSIGN_OR_RETURN(const std::string element_name, element.Text("name"));
      if (element_name == name) return element.Map(key);
    }
  }
  std::vector<std::string> paths;
  for (const auto& file : files) paths.push_back(file->path);
  return absl::InvalidArgumentError(absl::StrCat(absl::StrJoin(paths, ", "), ": ", Absl(list),
                                                 " has no element named ", Quoted(name)));
}

absl::StatusOr<std::string> CurrentContext(const Files& files) {
  for (const auto& file : files) {
    const KubeconfigMap root(*file->root, file->path, "");
    SHUNT_ASSIGN_OR_RETURN(std::string name, root.Text("current-context"));
    if (!name.empty()) return name;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      files.front()->path, ": current-context is missing, expected the name of a context"));
}

absl::Status ReadCluster(const KubeconfigMap& cluster, ClientConfig& config) {
  SHUNT_ASSIGN_OR_RETURN(const std::string server, cluster.Required("server"));
  absl::StatusOr<ServerUrl> url = ServerUrl::Parse(server);
  if (!url.ok()) return cluster.Error("server", std::string(url.status().message()));
  config.server = *std::move(url);
  SHUNT_ASSIGN_OR_RETURN(config.tls_server_name, cluster.Text("tls-server-name"));
  SHUNT_ASSIGN_OR_RETURN(const bool insecure, cluster.Bool("insecure-skip-tls-verify"));
  if (insecure) {
    return cluster.Error("insecure-skip-tls-verify",
                         "true is refused: a server is always verified, give "
                         "certificate-authority or certificate-authority-data");
  }
  SHUNT_ASSIGN_OR_RETURN(config.authority, cluster.Pem("certificate-authority"));
  SHUNT_ASSIGN_OR_RETURN(config.proxy_url, cluster.Text("proxy-url"));
  SHUNT_ASSIGN_OR_RETURN(config.disable_compression, cluster.Bool("disable-compression"));
  return absl::OkStatus();
}

absl::StatusOr<ExecConfig> ReadExec(const KubeconfigMap& exec) {
  ExecConfig config;
  SHUNT_ASSIGN_OR_RETURN(config.command, exec.Required("command"));
  // A name is looked for in PATH; a path is relative to its file.
  if (config.command.find('/') != std::string::npos) config.command = exec.Resolve(config.command);
  SHUNT_ASSIGN_OR_RETURN(config.arguments, exec.Texts("args"));
  SHUNT_ASSIGN_OR_RETURN(const std::vector<KubeconfigMap> environment, exec.Maps("env"));
  for (const KubeconfigMap& variable : environment) {
    SHUNT_ASSIGN_OR_RETURN(std::string name, variable.Required("name"));
    SHUNT_ASSIGN_OR_RETURN(std::string value, variable.Text("value"));
    config.environment.emplace_back(std::move(name), std::move(value));
  }
  SHUNT_ASSIGN_OR_RETURN(config.api_version, exec.Required("apiVersion"));
  if (config.api_version != "client.authentication.k8s.io/v1" &&
      config.api_version != "client.authentication.k8s.io/v1beta1") {
    return exec.Error("apiVersion", "expected client.authentication.k8s.io/v1 or /v1beta1");
  }
  SHUNT_ASSIGN_OR_RETURN(config.install_hint, exec.Text("installHint"));
  SHUNT_ASSIGN_OR_RETURN(config.provide_cluster_info, exec.Bool("provideClusterInfo"));
  SHUNT_ASSIGN_OR_RETURN(const std::string mode, exec.Text("interactiveMode"));
  if (mode == "Always") {
    return exec.Error("interactiveMode", "Always is refused: there is nobody to ask");
  }
  if (!mode.empty() && mode != "Never" && mode != "IfAvailable") {
    return exec.Error("interactiveMode", "expected Never or IfAvailable");
  }
  return config;
}

absl::Status ReadImpersonation(const KubeconfigMap& user, ClientConfig& config) {
  SHUNT_ASSIGN_OR_RETURN(const std::string name, user.Text("as"));
  SHUNT_ASSIGN_OR_RETURN(const std::string uid, user.Text("as-uid"));
  SHUNT_ASSIGN_OR_RETURN(const std::vector<std::string> groups, user.Texts("as-groups"));
  SHUNT_ASSIGN_OR_RETURN(const auto extra, user.TextLists("as-user-extra"));
  std::vector<std::string>& headers = config.impersonation;
  if (!name.empty()) headers.push_back("Impersonate-User: " + name);
  if (!uid.empty()) headers.push_back("Impersonate-Uid: " + uid);
  for (const std::string& group : groups) headers.push_back("Impersonate-Group: " + group);
  for (const auto& [key, values] : extra) {
    for (const std::string& value : values) {
      headers.push_back(absl::StrCat("Impersonate-Extra-", UrlEncoded(key), ": ", value));
    }
  }
  for (const std::string& header : headers) {
    if (header.find_first_of("\r\n") != std::string::npos) {
      return user.Error("as", "a line break in what becomes a header");
    }
  }
  if (name.empty() && !headers.empty()) return user.Error("as", "is missing beside as-…");
  return absl::OkStatus();
}

absl::Status ReadUser(const KubeconfigMap& user, ClientConfig& config) {
  SHUNT_ASSIGN_OR_RETURN(config.certificate, user.Pem("client-certificate"));
  SHUNT_ASSIGN_OR_RETURN(config.key, user.Pem("client-key"));
  if (config.certificate.empty() != config.key.empty()) {
    return user.Error(config.key.empty() ? "client-key" : "client-certificate",
                      "is missing, expected with its other half");
  }
  SHUNT_ASSIGN_OR_RETURN(config.token, user.Text("token"));
  SHUNT_ASSIGN_OR_RETURN(const std::string token_file, user.Text("tokenFile"));
  if (!token_file.empty()) config.token_file = user.Resolve(token_file);
  SHUNT_ASSIGN_OR_RETURN(config.username, user.Text("username"));
  SHUNT_ASSIGN_OR_RETURN(config.password, user.Text("password"));
  SHUNT_RETURN_IF_ERROR(ReadImpersonation(user, config));
  if (user.Has("auth-provider")) {
    return user.Error("auth-provider", "is no longer known to Kubernetes, expected exec");
  }
  // What is written goes before what would have to be fetched.
  const bool has_other = !config.certificate.empty() || !config.token.empty() ||
                         !config.token_file.empty() || !config.username.empty();
  if (!user.Has("exec") || has_other) return absl::OkStatus();
  SHUNT_ASSIGN_OR_RETURN(const KubeconfigMap exec, user.Map("exec"));
  SHUNT_ASSIGN_OR_RETURN(config.exec, ReadExec(exec));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ClientConfig> LoadKubeconfig(const std::vector<std::string>& paths) {
  Files files;
  for (const std::string& path : paths) {
    absl::StatusOr<std::unique_ptr<File>> file = ReadFile(path);
    // Of several, as in $KUBECONFIG, some need not be there.
    if (!file.ok() && absl::IsNotFound(file.status()) && paths.size() > 1) continue;
    if (!file.ok()) return file.status();
    files.push_back(*std::move(file));
  }
  if (files.empty()) {
    return absl::NotFoundError(
        absl::StrCat("none of these kubeconfig files is there: ", absl::StrJoin(paths, ", ")));
  }
  ClientConfig config;
  SHUNT_ASSIGN_OR_RETURN(const std::string context_name, CurrentContext(files));
  SHUNT_ASSIGN_OR_RETURN(const KubeconfigMap context,
                         FindNamed(files, "contexts", "context", context_name));
  SHUNT_ASSIGN_OR_RETURN(const std::string cluster_name, context.Required("cluster"));
  SHUNT_ASSIGN_OR_RETURN(const KubeconfigMap cluster,
                         FindNamed(files, "clusters", "cluster", cluster_name));
  SHUNT_RETURN_IF_ERROR(ReadCluster(cluster, config));
  SHUNT_ASSIGN_OR_RETURN(const std::string user_name, context.Text("user"));
  if (user_name.empty()) return config;
  SHUNT_ASSIGN_OR_RETURN(const KubeconfigMap user, FindNamed(files, "users", "user", user_name));
  SHUNT_RETURN_IF_ERROR(ReadUser(user, config));
  return config;
}

}  // namespace shunt
