// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_AGENT_WATCH_H_
#define SHUNT_TESTS_BENCH_AGENT_WATCH_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "tests/e2e/agent_process.h"
#include "userspace/base/unique_fd.h"

namespace shunt::bench {

// The real shuntd on a directory of manifests, seen from outside. It is ended,
// and what it pinned is removed, when the object goes.
class AgentWatch {
 public:
  // Returns when it serves.
  static absl::StatusOr<std::unique_ptr<AgentWatch>> Start(const std::string& manifests);
  ~AgentWatch();

  // From its start until it served.
  double start_ns() const { return start_ns_; }
  // A field of /proc/PID/status.
  double MemoryMiB(const std::string& field) const;
  // Writes the file in place; how long after its close began the frontend of the
  // Service (tests/bench/cluster.h) has another list of backends.
  absl::StatusOr<double> NsUntilChanged(int service, const std::string& file,
                                        const std::string& text);

  // Until the Service has no frontend.
  absl::Status WaitUntilGone(int service) const;

 private:
  explicit AgentWatch(std::string bpffs) : bpffs_(std::move(bpffs)) {}
  absl::Status Launch(const std::string& manifests);

  const std::string bpffs_;
  std::unique_ptr<testing::AgentProcess> process_;
  UniqueFd frontends_;
  double start_ns_ = 0;
};

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_AGENT_WATCH_H_
