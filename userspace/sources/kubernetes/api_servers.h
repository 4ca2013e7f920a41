// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_API_SERVERS_H_
#define SHUNT_SOURCES_KUBERNETES_API_SERVERS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "userspace/base/ip_address.h"
#include "userspace/model/cluster.h"
#include "userspace/sources/kubernetes/url.h"

namespace shunt {

struct ServerAddress {
  ServerUrl url;         // what is dialled
  std::string tls_name;  // what its certificate has to say; "" for url.host

  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

// Which API server to ask, in this order:
//   1. those that somebody wrote down (--api-servers, --master, kubeconfig),
//   2. the addresses behind Service default/kubernetes, which are followed, and
//      kept in a file for the next boot, when nothing serves its ClusterIP yet,
//   3. in a pod, KUBERNETES_SERVICE_HOST: a ClusterIP, and so, once Shunt serves
//      it, nothing that Shunt may depend on.
// Belongs to one thread.
class ApiServers {
 public:
  struct Config {
    std::vector<ServerAddress> written;
    std::optional<ServerAddress> in_cluster;
    std::string tls_name;  // of followed addresses; "" for kubernetes.default.svc
    std::string file;      // "" for none
  };

  // Reads the file, if there is one.
  explicit ApiServers(Config config);

  // Never without one, as long as one was configured.
  const ServerAddress& Current() const { return candidates_[current_]; }
  // Another one is next, if it was the current one.
  void Failed(const ServerAddress& server);

  // To be told of each change in the cluster. Looks at Service and slices of
  // default/kubernetes alone.
  void OnChange(const ObjectChange& change);

  // Why the file could not be written, if so.
  const absl::Status& file_status() const { return file_status_; }

 private:
  void OnSlice(const std::string& name, const EndpointSlice* slice);
  void Follow(std::vector<std::string> addresses);
  void MakeCandidates();

  const Config config_;
  absl::btree_map<std::string, std::vector<std::string>> slices_;  // "10.0.0.1:6443", by name
  absl::btree_set<std::string> cluster_ips_;
  std::vector<std::string> followed_;
  std::vector<ServerAddress> candidates_;
  size_t current_ = 0;
  absl::Status file_status_;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_API_SERVERS_H_
