// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/kube_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/agent_watch.h"
#include "tests/bench/api_objects.h"
#include "tests/bench/benchmark.h"
#include "tests/bench/process_use.h"
#include "tests/support/command.h"
#include "tests/support/environment.h"
#include "tests/support/files.h"
#include "userspace/base/status.h"

namespace shunt::bench {
namespace {

constexpr int kPatienceMs = 5;  // for a connect to what nobody serves yet

// A directory in which iptables and the like are those of the legacy tables.
absl::Status MakeLegacyTools(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directory(directory, error);
  for (const char* family : {"iptables", "ip6tables"}) {
    for (const char* tool : {"", "-save", "-restore"}) {
      std::filesystem::create_symlink("/usr/sbin/xtables-legacy-multi",
                                      absl::StrCat(directory, "/", family, tool), error);
    }
  }
  return access((directory + "/iptables-save").c_str(), X_OK) == 0
             ? absl::OkStatus()
             : ErrnoStatus("/usr/sbin/xtables-legacy-multi");
}

// Whose address the connection that is made has at its other end.
std::optional<IpAddress> EndpointOf(const UniqueFd& listener) {
  pollfd waited = {.fd = listener.get(), .events = POLLIN, .revents = 0};
  if (poll(&waited, 1, kPatienceMs) != 1) return std::nullopt;
  const UniqueFd accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  sockaddr_in name = {};
  socklen_t length = sizeof(name);
  if (getsockname(accepted.get(), reinterpret_cast<sockaddr*>(&name), &length) != 0) {
    return std::nullopt;
  }
  IpAddress::Bytes bytes = {};
  bytes[10] = bytes[11] = 0xff;
  memcpy(&bytes[12], &name.sin_addr, sizeof(name.sin_addr));
  return IpAddress(bytes);
}

std::optional<IpAddress> Dial(const sockaddr_in& service, const UniqueFd& listener) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const linger reset = {.l_onoff = 1, .l_linger = 0};  // leaves nothing behind
  setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  connect(fd.get(), reinterpret_cast<const sockaddr*>(&service), sizeof(service));
  return EndpointOf(listener);
}

sockaddr_in SocketAddress(const IpAddress& address, uint16_t port) {
  sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(port)};
  memcpy(&result.sin_addr, &address.bytes()[12], sizeof(result.sin_addr));
  return result;
}

}  // namespace

std::string KubeProxy::Program() {
  const char* home = getenv("HOME");
  const std::string path = absl::StrCat(home == nullptr ? "/root" : home,
                                        "/.cache/shunt/kubernetes-1.36.3/bin/kube-proxy");
  return access(path.c_str(), X_OK) == 0 ? path : "";
}

absl::StatusOr<std::unique_ptr<KubeProxy>> KubeProxy::Start(const ClusterShape& shape,
                                                            const std::string& mode,
                                                            absl::Duration limit) {
  SHUNT_ASSIGN_OR_RETURN(testing::NetNamespace net, testing::NetNamespace::Make());
  std::unique_ptr<KubeProxy> result(new KubeProxy(shape, std::move(net), limit));
  absl::Status status;
  result->net_.Run([&] {
    status = result->Listen();
    if (status.ok()) status = result->Launch(mode);
  });
  SHUNT_RETURN_IF_ERROR(status);
  const double started = NowNs();
  SHUNT_ASSIGN_OR_RETURN(const double synced,
                         result->ConnectUntil(shape.services - 1, [](auto&) { return true; }));
  result->start_ns_ = synced - started;
  return result;
}

absl::Status KubeProxy::Listen() {
  SHUNT_RETURN_IF_ERROR(testing::MustRun(
      {"ip", "-batch", "-"},
      {.input =
           absl::StrCat("addr add 192.0.2.1/32 dev lo\n", "route add local ", kPodNetwork,
                        " dev lo\n", "route add ", kServiceNetwork, " dev lo src 192.0.2.1\n")}));
  listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(kEndpointPort)};
  if (bind(listener_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0 ||
      listen(listener_.get(), 64) != 0) {
    return ErrnoStatus("a listener for all endpoints");
  }
  return absl::OkStatus();
}

absl::Status KubeProxy::Launch(const std::string& mode) {
  const std::string directory =
      absl::StrCat(testing::GetEnvironment()->directory, "/kube-proxy-", mode);
  std::filesystem::create_directory(directory);
  server_ = std::make_unique<FakeApiServer>(shape_, kOwnNode, directory);
  const std::string config = directory + "/config.yaml";
  SHUNT_RETURN_IF_ERROR(testing::WriteFile(
      config, absl::StrCat("apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
                           "kind: KubeProxyConfiguration\nmode: ",
                           mode, "\nclusterCIDR: ", kPodNetwork, "\nhostnameOverride: ", kOwnNode,
                           "\nconntrack: {maxPerCore: 0}\n",
                           "clientConnection: {kubeconfig: ", server_->kubeconfig(), "}\n")));
  const std::string path = getenv("PATH");
  if (mode == "iptables") {
    SHUNT_RETURN_IF_ERROR(MakeLegacyTools(directory + "/bin"));
    setenv("PATH", absl::StrCat(directory, "/bin:", path).c_str(), 1);
  }
  auto process = testing::AgentProcess::StartProgram(Program(), {"--config", config},
                                                     directory + "/kube-proxy.log");
  setenv("PATH", path.c_str(), 1);
  SHUNT_ASSIGN_OR_RETURN(process_, std::move(process));
  return absl::OkStatus();
}

absl::StatusOr<double> KubeProxy::ConnectUntil(
    int service, absl::FunctionRef<bool(const IpAddress&)> is_right) const {
  const sockaddr_in dialled = SocketAddress(ServiceAddress(service), kServicePort);
  const double deadline = NowNs() + absl::ToDoubleNanoseconds(limit_);
  std::optional<double> seen;
  net_.Run([&] {
    while (!seen && NowNs() < deadline) {
      const std::optional<IpAddress> endpoint = Dial(dialled, listener_);
      if (endpoint && is_right(*endpoint)) seen = NowNs();
    }
  });
  if (seen) return *seen;
  return absl::DeadlineExceededError(absl::StrCat("kube-proxy has not done it within ",
                                                  absl::FormatDuration(limit_), ": ",
                                                  process_->Log().substr(0, 2000)));
}

double KubeProxy::peak_mib() const { return MemoryMiBOf(process_->pid(), "VmHWM"); }

absl::StatusOr<double> KubeProxy::NsUntilChanged(int service, int move, uint64_t version) {
  const IpAddress moved =
      MoveEndpoint(shape_, service, move).slices.front()->endpoints.front().address;
  const std::string event = SliceFrame(shape_, service, move, "MODIFIED", version);
  const double sent = NowNs();
  server_->SendSlices(event);
  SHUNT_ASSIGN_OR_RETURN(const double seen, ConnectUntil(service, [&](const IpAddress& endpoint) {
                           return endpoint == moved;
                         }));
  return seen - sent;
}

}  // namespace shunt::bench
