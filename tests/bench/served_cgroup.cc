// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/served_cgroup.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/cgroup.h"
#include "tests/support/environment.h"
#include "userspace/base/status.h"
#include "userspace/datapath/grace_period.h"
#include "userspace/planner/planner.h"

namespace shunt::bench {
namespace {

// return 1, which is "proceed".
absl::StatusOr<UniqueFd> LoadEmptyProgram() {
  const bpf_insn code[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
      {.code = BPF_JMP | BPF_EXIT},
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);
  UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "empty", "GPL", code,
                                 std::size(code), &options));
  if (!program.ok()) return ErrnoStatus("load of the empty program");
  return program;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServedCgroup>> ServedCgroup::Make(const std::string& name) {
  std::unique_ptr<ServedCgroup> result(
      new ServedCgroup(absl::StrCat(testing::GetEnvironment()->cgroup, "/", name)));
  SHUNT_RETURN_IF_ERROR(testing::MakeCgroup(result->path_));
  return result;
}

absl::StatusOr<std::unique_ptr<ServedCgroup>> ServedCgroup::WithNothing(const std::string& name) {
  return Make(name);
}

absl::StatusOr<std::unique_ptr<ServedCgroup>> ServedCgroup::WithEmptyProgram(
    const std::string& name) {
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<ServedCgroup> result, Make(name));
  SHUNT_RETURN_IF_ERROR(result->AttachEmpty());
  return result;
}

absl::StatusOr<std::unique_ptr<ServedCgroup>> ServedCgroup::WithServices(
    const std::string& name, const ClusterShape& shape) {
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<ServedCgroup> result, Make(name));
  result->bpffs_ = absl::StrCat(testing::GetEnvironment()->bpffs, "/", name);
  SHUNT_RETURN_IF_ERROR(result->AttachServices(shape));
  return result;
}

absl::Status ServedCgroup::AttachEmpty() {
  SHUNT_ASSIGN_OR_RETURN(connect4_, LoadEmptyProgram());
  const UniqueFd cgroup(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!cgroup.ok()) return ErrnoStatus(path_);
  link_ =
      UniqueFd(bpf_link_create(connect4_.get(), cgroup.get(), BPF_CGROUP_INET4_CONNECT, nullptr));
  if (!link_.ok()) return ErrnoStatus("attach the empty program");
  return absl::OkStatus();
}

absl::Status ServedCgroup::AttachServices(const ClusterShape& shape) {
  SHUNT_ASSIGN_OR_RETURN(datapath_,
                         Datapath::Open({.bpffs = bpffs_, .cgroup = path_, .build = "bench"}));
  RcuGracePeriod grace_period(
      MembarrierOr([] { return absl::UnavailableError("needs membarrier(2)"); }));
  Reconciler reconciler(datapath_->maps(), grace_period);
  SHUNT_RETURN_IF_ERROR(reconciler.Adopt());
  const Reconciler::Result result =
      reconciler.Apply({.changed = Plan(MakeCluster(shape), "node-0"), .complete = true});
  if (result.pending > 0) return absl::InternalError(result.failures.front().ToString());
  SHUNT_RETURN_IF_ERROR(datapath_->Attach());
  connect4_ = UniqueFd(bpf_obj_get(absl::StrCat(bpffs_, "/shunt_connect4").c_str()));
  if (!connect4_.ok()) return ErrnoStatus("pin of connect4");
  return absl::OkStatus();
}

ServedCgroup::~ServedCgroup() {
  datapath_.reset();
  // The environment removes the cgroup.
  if (!bpffs_.empty()) RemoveDatapath(bpffs_).IgnoreError();
}

void ServedCgroup::Join() const {
  if (absl::Status status = testing::JoinCgroup(path_); !status.ok()) {
    fprintf(stderr, "%s\n", status.ToString().c_str());
    abort();  // a cgroup of ours: it cannot fail
  }
}

ServedCgroup::Runs ServedCgroup::ConnectRuns() const {
  bpf_prog_info info = {};
  uint32_t length = sizeof(info);
  bpf_obj_get_info_by_fd(connect4_.get(), &info, &length);
  return {.count = info.run_cnt, .ns = info.run_time_ns};
}

absl::StatusOr<RunTimeStats> RunTimeStats::Enable() {
  UniqueFd fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (!fd.ok()) return ErrnoStatus("BPF_ENABLE_STATS");
  return RunTimeStats(std::move(fd));
}

}  // namespace shunt::bench
