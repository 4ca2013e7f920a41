// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/cluster.h"

#include <algorithm>
#include <memory>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "tests/support/files.h"
#include "userspace/base/status.h"

namespace shunt::bench {
namespace {

constexpr uint32_t kServices = 10u << 24 | 32u << 16, kPods = 10u << 24 | 128u << 16,
                   kOthers = 10u << 24 | 64u << 16;
constexpr uint32_t kMoved = 1u << 22;  // from where it was to where endpoints move

IpAddress Ip(uint32_t address) {
  IpAddress::Bytes bytes = {};
  bytes[10] = bytes[11] = 0xff;
  for (int i = 0; i < 4; ++i) bytes[12 + i] = static_cast<uint8_t>(address >> (24 - 8 * i));
  return IpAddress(bytes);
}

uint32_t EndpointAddress(const ClusterShape& shape, int service, int endpoint, int move) {
  const uint32_t address = kPods + service * shape.endpoints + endpoint;
  return endpoint == 0 && move > 0 ? address + kMoved + move % 2 : address;
}

std::shared_ptr<const Service> MakeService(const ClusterShape& shape, int service) {
  Service result{.meta = {.name = ServiceName(service)},
                 .ports = {{.protocol = shape.protocol, .port = kServicePort}}};
  result.cluster_ips = {ServiceAddress(service)};
  result.affinity_timeout_s = shape.affinity_timeout_s;
  return std::make_shared<const Service>(std::move(result));
}

std::shared_ptr<const EndpointSlice> MakeSlice(const ClusterShape& shape, int service, int move) {
  EndpointSlice slice{.meta = {.name = ServiceName(service)}, .service = ServiceName(service)};
  slice.ports = {{.protocol = shape.protocol, .port = kEndpointPort}};
  for (int i = 0; i < shape.endpoints; ++i) {
    slice.endpoints.push_back({.address = Ip(EndpointAddress(shape, service, i, move)),
                               .node_name = absl::StrCat("node-", i)});
  }
  return std::make_shared<const EndpointSlice>(std::move(slice));
}

sockaddr_in SocketAddressOf(uint32_t address, uint16_t port) {
  sockaddr_in result = {};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(address);
  return result;
}

sockaddr_in TargetOf(const ClusterShape& shape, Dialled what, int i) {
  switch (what) {
    case Dialled::kServices:
      return SocketAddressOf(kServices + i % shape.services, kServicePort);
    case Dialled::kEndpoints:
      return SocketAddressOf(kPods + i % (shape.services * shape.endpoints), kEndpointPort);
    case Dialled::kOthers:
      break;
  }
  return SocketAddressOf(kOthers + i % shape.services, kServicePort);
}

}  // namespace

NamespacedName ServiceName(int service) { return {"shop", absl::StrCat("web-", service)}; }

IpAddress ServiceAddress(int service) { return Ip(kServices + service); }

ServiceInput MoveEndpoint(const ClusterShape& shape, int service, int move) {
  return {.service = MakeService(shape, service), .slices = {MakeSlice(shape, service, move)}};
}

ClusterSnapshot MakeCluster(const ClusterShape& shape) {
  ClusterSnapshot cluster;
  for (int i = 0; i < shape.services; ++i) {
    cluster.services.emplace(ServiceName(i), MoveEndpoint(shape, i, 0));
  }
  return cluster;
}

std::vector<sockaddr_in> Targets(const ClusterShape& shape, Dialled what, int count) {
  std::vector<sockaddr_in> targets;
  for (int i = 0; i < count; ++i) targets.push_back(TargetOf(shape, what, i));
  std::shuffle(targets.begin(), targets.end(), std::mt19937(1));
  return targets;
}

std::string ManifestOf(const ClusterShape& shape, int service, int move) {
  const std::string name = ServiceName(service).name;
  const char* protocol = shape.protocol == SHUNT_UDP ? "UDP" : "TCP";
  std::string text = absl::Substitute(
      "apiVersion: v1\nkind: Service\n"
      "metadata:\n  name: $0\n  namespace: shop\n"
      "spec:\n  clusterIP: $1\n  clusterIPs:\n  - $1\n"
      "  ports:\n  - port: $2\n    protocol: $3\n    targetPort: $4\n"
      "  selector:\n    app: $0\n  type: ClusterIP\n---\n"
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
      "metadata:\n  labels:\n    kubernetes.io/service-name: $0\n  name: $0-slice\n"
      "  namespace: shop\nports:\n- port: $4\n  protocol: $3\n  name: ''\nendpoints:\n",
      name, ServiceAddress(service).ToString(), kServicePort, protocol, kEndpointPort);
  for (int i = 0; i < shape.endpoints; ++i) {
    absl::SubstituteAndAppend(
        &text,
        "- addresses:\n  - $0\n  conditions:\n    ready: true\n    serving: true\n"
        "    terminating: false\n  nodeName: node-$1\n",
        Ip(EndpointAddress(shape, service, i, move)).ToString(), i);
  }
  return text;
}

absl::Status WriteManifests(const ClusterShape& shape, int per_file, const std::string& directory) {
  for (int first = 0; first < shape.services; first += per_file) {
    std::string text;
    for (int i = first; i < std::min(first + per_file, shape.services); ++i) {
      absl::StrAppend(&text, "---\n", ManifestOf(shape, i));
    }
    SHUNT_RETURN_IF_ERROR(
        testing::WriteFile(absl::StrCat(directory, "/services-", first / per_file, ".yaml"), text));
  }
  return absl::OkStatus();
}

}  // namespace shunt::bench
