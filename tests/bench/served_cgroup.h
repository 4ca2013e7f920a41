// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_SERVED_CGROUP_H_
#define SHUNT_TESTS_BENCH_SERVED_CGROUP_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/cluster.h"
#include "userspace/base/unique_fd.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/reconciler.h"

namespace shunt::bench {

// A cgroup below the run's, and what is attached to it. A process is moved from
// one to another to be served in another way: sockets run the programs of the
// cgroup in which they were made.
class ServedCgroup {
 public:
  // Nothing is attached.
  static absl::StatusOr<std::unique_ptr<ServedCgroup>> WithNothing(const std::string& name);
  // A program at connect4 that does nothing: what any program costs.
  static absl::StatusOr<std::unique_ptr<ServedCgroup>> WithEmptyProgram(const std::string& name);
  // Shunt's programs, with real maps that hold the cluster.
  static absl::StatusOr<std::unique_ptr<ServedCgroup>> WithServices(const std::string& name,
                                                                    const ClusterShape& shape);
  ~ServedCgroup();

  // Moves this process there.
  void Join() const;

  // What the program at connect4 has run so far, while a RunTimeStats lives.
  struct Runs {
    uint64_t count = 0, ns = 0;
  };
  Runs ConnectRuns() const;

 private:
  explicit ServedCgroup(std::string path) : path_(std::move(path)) {}
  static absl::StatusOr<std::unique_ptr<ServedCgroup>> Make(const std::string& name);
  absl::Status AttachEmpty();
  absl::Status AttachServices(const ClusterShape& shape);

  const std::string path_;
  std::string bpffs_;  // "" where Shunt's programs are not attached
  std::unique_ptr<Datapath> datapath_;
  UniqueFd connect4_, link_;
};

// The kernel measures the run time of programs while one of these lives, which
// costs each run some 50 ns. The empty program's is subtracted.
class RunTimeStats {
 public:
  static absl::StatusOr<RunTimeStats> Enable();

 private:
  explicit RunTimeStats(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_SERVED_CGROUP_H_
