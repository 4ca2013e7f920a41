// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_CLUSTER_H_
#define SHUNT_TESTS_BENCH_CLUSTER_H_

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "shunt/types.h"
#include "userspace/model/cluster.h"

namespace shunt::bench {

// A cluster of Services that look alike. Service i has the ClusterIP
// 10.32.0.0 + i, port 80, and the endpoints 10.128.0.0 + i * endpoints + j,
// port 8080: no two Services share one.
struct ClusterShape {
  int services = 1;
  int endpoints = 5;
  shunt_protocol protocol = SHUNT_TCP;
  std::optional<uint32_t> affinity_timeout_s = std::nullopt;  // sessionAffinity ClientIP
};

inline constexpr uint16_t kServicePort = 80, kEndpointPort = 8080;
inline constexpr char kServiceNetwork[] = "10.32.0.0/11", kPodNetwork[] = "10.128.0.0/9";
// In neither: nobody's.
inline constexpr char kOtherNetwork[] = "10.64.0.0/10";

// As the store would hand it out.
ClusterSnapshot MakeCluster(const ClusterShape& shape);

NamespacedName ServiceName(int service);
IpAddress ServiceAddress(int service);
// Service `service` as MakeCluster() has it, but that its first endpoint has
// moved to an address that depends on `move`. 0 is where it was.
ServiceInput MoveEndpoint(const ClusterShape& shape, int service, int move);

// The addresses to dial, in an order without pattern, `count` of them: Services,
// their endpoints, or others that nobody has.
enum class Dialled { kServices, kEndpoints, kOthers };
std::vector<sockaddr_in> Targets(const ClusterShape& shape, Dialled what, int count);

// Writes the cluster as manifests, `per_file` Services a file, as `kubectl get
// -o yaml` names the fields. Files are named services-N.yaml.
absl::Status WriteManifests(const ClusterShape& shape, int per_file, const std::string& directory);
// The manifest of one Service, with the first endpoint moved.
std::string ManifestOf(const ClusterShape& shape, int service, int move = 0);

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_CLUSTER_H_
