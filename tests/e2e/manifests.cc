// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/manifests.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace shunt::testing {
namespace {

// $0 name, $1 address, $2 port, $3 protocol, $4 port of the pods, $5 endpoints,
// $6 more of the Service
constexpr char kTemplate[] = R"(apiVersion: v1
kind: Service
metadata:
  name: $0
  namespace: shop
spec:
  clusterIP: $1
  clusterIPs: [$1]
  ports:
  - name: main
    port: $2
    protocol: $3
$6---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: $0-x2x
  namespace: shop
  labels:
    kubernetes.io/service-name: $0
addressType: IPv4
ports:
- name: main
  port: $4
  protocol: $3
endpoints:$5
)";

}  // namespace

std::string ToYaml(const ManifestSpec& spec) {
  std::string endpoints = spec.pods.empty() ? " []" : "";
  for (const HostPort& pod : spec.pods) {
    absl::StrAppend(&endpoints, "\n- addresses: [", pod.address.ToString(),
                    "]\n  conditions: {ready: true}");
  }
  std::string more = spec.more;
  if (spec.node_port != 0) more = absl::StrCat("    nodePort: ", spec.node_port, "\n", more);
  const int pod_port = spec.pods.empty() ? 8080 : spec.pods[0].port;
  return absl::Substitute(kTemplate, spec.name, spec.vip.address.ToString(), spec.vip.port,
                          spec.protocol, pod_port, endpoints, more);
}

}  // namespace shunt::testing
