// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_AGENT_WATCH_H_
#define SHUNT_TESTS_BENCH_AGENT_WATCH_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "tests/e2e/agent_process.h"
#include "userspace/base/unique_fd.h"

namespace shunt::bench {

// The agent's Node, and where its /metrics and /readyz are.
inline constexpr char kOwnNode[] = "node-0";
inline constexpr uint16_t kMetricsPort = 10249;

// The real shuntd, seen from outside. It is ended, and what it pinned is
// removed, when the object goes.
class AgentWatch {
 public:
  // `source`: the arguments that say where it is told of the cluster. Returns
  // when its /readyz says that it serves.
  static absl::StatusOr<std::unique_ptr<AgentWatch>> Start(std::vector<std::string> source);
  ~AgentWatch();

  // Kills it, and starts another one on what it left. Returns at once.
  absl::Status Restart();
  absl::Status WaitUntilReady();

  // From its start until it served.
  double start_ns() const { return ready_ns_ - started_ns_; }
  double started_ns() const { return started_ns_; }  // NowNs()
  pid_t pid() const { return process_->pid(); }

  // When (NowNs()) the frontend of the Service (tests/bench/cluster.h) has another
  // list of backends than it had before `act` was called. Polls the map all the time.
  absl::StatusOr<double> TimeOfChange(int service, absl::FunctionRef<absl::Status()> act) const;
  // Until the Service has no frontend.
  absl::Status WaitUntilGone(int service) const;

 private:
  AgentWatch(std::string bpffs, std::vector<std::string> source)
      : bpffs_(std::move(bpffs)), source_(std::move(source)) {}
  absl::Status Launch();

  const std::string bpffs_;
  const std::vector<std::string> source_;
  std::unique_ptr<testing::AgentProcess> process_;
  UniqueFd frontends_;
  double started_ns_ = 0, ready_ns_ = 0;
};

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_AGENT_WATCH_H_
