// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_KUBE_PROXY_H_
#define SHUNT_TESTS_BENCH_KUBE_PROXY_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/cluster.h"
#include "tests/bench/fake_api_server.h"
#include "tests/e2e/agent_process.h"
#include "tests/support/net_namespace.h"

namespace shunt::bench {

// kube-proxy itself, with its defaults, at a FakeApiServer of its own, in a
// network namespace of its own: every endpoint is the namespace itself, so that
// connecting shows where a Service leads.
class KubeProxy {
 public:
  // Where tests/cluster/build-binaries has put it; "" where it has not.
  static std::string Program();

  // `mode`: "nftables"; "iptables" is the one with legacy tables. Returns when
  // the first connect through a Service succeeded.
  static absl::StatusOr<std::unique_ptr<KubeProxy>> Start(const ClusterShape& shape,
                                                          const std::string& mode,
                                                          absl::Duration limit);

  double start_ns() const { return start_ns_; }  // from its start until then
  double peak_mib() const;
  // From when a changed slice of the Service was sent until a connect shows it.
  absl::StatusOr<double> NsUntilChanged(int service, int move, uint64_t version);

 private:
  KubeProxy(const ClusterShape& shape, testing::NetNamespace net, absl::Duration limit)
      : shape_(shape), net_(std::move(net)), limit_(limit) {}

  absl::Status Launch(const std::string& mode);
  absl::Status Listen();
  // Connects until the endpoint that answers is right; NowNs() of then.
  absl::StatusOr<double> ConnectUntil(int service,
                                      absl::FunctionRef<bool(const IpAddress&)> is_right) const;

  const ClusterShape shape_;
  const testing::NetNamespace net_;
  const absl::Duration limit_;
  UniqueFd listener_;
  std::unique_ptr<FakeApiServer> server_;
  std::unique_ptr<testing::AgentProcess> process_;
  double start_ns_ = 0;
};

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_KUBE_PROXY_H_
