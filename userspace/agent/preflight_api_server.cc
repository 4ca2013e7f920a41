// SPDX-License-Identifier: Apache-2.0
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "userspace/agent/preflight.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"
#include "userspace/sources/manifests/file_reader.h"
#include "userspace/sources/manifests/yaml_reader.h"

namespace shunt {
namespace {

using enum Check::Outcome;

constexpr char kName[] = "API server";
constexpr int kPatienceMs = 3000;
constexpr size_t kMaxKubeconfigBytes = 1 << 20;

struct HostAndPort {
  std::string host, port;
};

// "https://192.0.2.1:6443", "[fd00::1]:6443", "api.example.org".
HostAndPort Split(absl::string_view text) {
  absl::ConsumePrefix(&text, "https://");
  text = text.substr(0, text.find('/'));
  const size_t colon = text.rfind(':');
  const bool has_port = colon != absl::string_view::npos && !absl::EndsWith(text, "]");
  HostAndPort result = {.host = std::string(has_port ? text.substr(0, colon) : text),
                        .port = has_port ? std::string(text.substr(colon + 1)) : "443"};
  if (absl::StartsWith(result.host, "["))
    result.host = result.host.substr(1, result.host.size() - 2);
  return result;
}

// Of all clusters of a kubeconfig.
std::vector<std::string> ServersIn(const std::string& kubeconfig) {
  std::vector<std::string> servers;
  const absl::StatusOr<std::string> text = ReadManifestFile(kubeconfig, kMaxKubeconfigBytes);
  if (!text.ok()) return servers;
  YamlReader reader(*text);
  const auto step = reader.Next();
  if (!step.ok() || *step != YamlReader::Step::kDocument || reader.root() == nullptr)
    return servers;
  const YamlNode* clusters = reader.root()->Find("clusters");
  if (clusters == nullptr) return servers;
  for (const YamlNode* entry : clusters->children) {
    const YamlNode* cluster = entry->Find("cluster");
    const YamlNode* server = cluster == nullptr ? nullptr : cluster->Find("server");
    if (server != nullptr) servers.push_back(server->text);
  }
  return servers;
}

absl::Status Connect(const addrinfo& address) {
  const UniqueFd fd(socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.ok()) return ErrnoStatus("socket");
  if (connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return absl::OkStatus();
  if (errno != EINPROGRESS) return ErrnoStatus("connect");
  pollfd event = {.fd = fd.get(), .events = POLLOUT, .revents = 0};
  if (poll(&event, 1, kPatienceMs) != 1) return absl::DeadlineExceededError("no answer");
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 ? absl::OkStatus() : ErrnoStatus("connect", error);
}

// Whether somebody listens there: no word is said, so no credentials are needed.
absl::Status Dial(const std::string& server) {
  const HostAndPort place = Split(server);
  const addrinfo hints = {.ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int error = getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found);
  if (error != 0) return absl::NotFoundError(gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  absl::Status status;
  for (; found != nullptr; found = found->ai_next) {
    if (status = Connect(*found); status.ok()) break;
  }
  return status;
}

Check CheckServer(const std::string& server, const std::string& origin) {
  const absl::Status status = Dial(server);
  if (status.ok()) return {kOk, kName, absl::StrCat(server, " answers (", origin, ")")};
  return {kFail, kName, absl::StrCat(server, " (", origin, "): ", status.message())};
}

// The ClusterIP of default/kubernetes, as a rule: kube-proxy's work or our own.
Check CheckPodsServer() {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  if (host == nullptr) return {kNote, kName, "none is named: manifests are followed, or nothing"};
  return {kNote, kName,
          absl::StrCat("only ", host,
                       " is known (KUBERNETES_SERVICE_HOST): without kube-proxy a "
                       "node that boots first needs a real address, in apiServers")};
}

}  // namespace

Checks ApiServerChecks(const Options& options) {
  Checks checks;
  for (const std::string& server : options.config.List("apiServers")) {
    checks.push_back(CheckServer(server, "apiServers"));
  }
  const std::string& kubeconfig = options.config.Text("clientConnection.kubeconfig");
  for (const std::string& server : ServersIn(kubeconfig)) {
    checks.push_back(CheckServer(server, kubeconfig));
  }
  if (checks.empty()) checks.push_back(CheckPodsServer());
  return checks;
}

}  // namespace shunt
