// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/agent_watch.h"

#include <bpf/bpf.h>
#include <signal.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "shunt/abi.h"
#include "tests/bench/benchmark.h"
#include "tests/bench/cluster.h"
#include "tests/support/cgroup.h"
#include "tests/support/environment.h"
#include "tests/support/http_client.h"
#include "tests/support/wait_for.h"
#include "userspace/base/status.h"
#include "userspace/datapath/datapath.h"
#include "userspace/state/datapath_state.h"

namespace shunt::bench {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);

// The list that connections to the Service take; an empty one while there is no
// such frontend.
shunt_range ListOf(int frontends, const FrontendKey& frontend) {
  const shunt_frontend_key key = frontend.ToAbi();
  shunt_frontend value = {};
  bpf_map_lookup_elem(frontends, &key, &value);
  return value.slots;
}

bool IsSame(const shunt_range& a, const shunt_range& b) {
  return a.base == b.base && a.count == b.count;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AgentWatch>> AgentWatch::Start(std::vector<std::string> source) {
  static int count = 0;
  std::unique_ptr<AgentWatch> result(new AgentWatch(
      absl::StrCat(testing::GetEnvironment()->bpffs, "/agent-", ++count), std::move(source)));
  SHUNT_RETURN_IF_ERROR(result->Launch());
  SHUNT_RETURN_IF_ERROR(result->WaitUntilReady());
  result->frontends_ = UniqueFd(bpf_obj_get((result->bpffs_ + "/shunt_frontends").c_str()));
  if (!result->frontends_.ok()) return ErrnoStatus("pin of shunt_frontends");
  return result;
}

absl::Status AgentWatch::Launch() {
  const std::string& directory = testing::GetEnvironment()->directory;
  const std::string cgroup = testing::GetEnvironment()->cgroup + "/agent";
  if (access(cgroup.c_str(), F_OK) != 0) SHUNT_RETURN_IF_ERROR(testing::MakeCgroup(cgroup));
  std::vector<std::string> arguments = source_;
  arguments.insert(arguments.end(), {"--hostname-override", kOwnNode, "--cgroup", cgroup, "--bpffs",
                                     bpffs_, "--api-socket", directory + "/agent.sock"});
  started_ns_ = NowNs();
  SHUNT_ASSIGN_OR_RETURN(process_,
                         testing::AgentProcess::Start(arguments, directory + "/agent.log"));
  return absl::OkStatus();
}

absl::Status AgentWatch::Restart() {
  process_->Signal(SIGKILL);
  process_->WaitForExit(kLimit);
  return Launch();
}

absl::Status AgentWatch::WaitUntilReady() {
  const auto is_ready = [] {
    return StatusLine(Fetch(kMetricsPort, "/readyz")).ends_with("200 OK");
  };
  if (!testing::WaitFor(is_ready, kLimit)) {
    return absl::DeadlineExceededError("the agent does not serve: " + process_->Log());
  }
  ready_ns_ = NowNs();
  return absl::OkStatus();
}

AgentWatch::~AgentWatch() {
  if (process_ == nullptr) return;
  process_->Signal(SIGTERM);
  process_->WaitForExit(kLimit);
  RemoveDatapath(bpffs_).IgnoreError();  // the file system goes with the run
}

absl::Status AgentWatch::WaitUntilGone(int service) const {
  const FrontendKey frontend = {.address = ServiceAddress(service), .port = kServicePort};
  const auto is_gone = [&] { return ListOf(frontends_.get(), frontend).count == 0; };
  return testing::WaitFor(is_gone, kLimit)
             ? absl::OkStatus()
             : absl::DeadlineExceededError(frontend.ToString() + " is still in the map");
}

absl::StatusOr<double> AgentWatch::TimeOfChange(int service,
                                                absl::FunctionRef<absl::Status()> act) const {
  const FrontendKey frontend = {.address = ServiceAddress(service), .port = kServicePort};
  const shunt_range before = ListOf(frontends_.get(), frontend);
  SHUNT_RETURN_IF_ERROR(act());
  const double deadline = NowNs() + absl::ToDoubleNanoseconds(kLimit);
  while (NowNs() < deadline) {
    if (!IsSame(before, ListOf(frontends_.get(), frontend))) return NowNs();
  }
  return absl::DeadlineExceededError("the map is as it was: " + process_->Log());
}

}  // namespace shunt::bench
