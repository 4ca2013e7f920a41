// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/agent_watch.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "shunt/abi.h"
#include "tests/bench/benchmark.h"
#include "tests/bench/cluster.h"
#include "tests/support/cgroup.h"
#include "tests/support/environment.h"
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

absl::StatusOr<std::unique_ptr<AgentWatch>> AgentWatch::Start(const std::string& manifests) {
  static int count = 0;
  std::unique_ptr<AgentWatch> result(
      new AgentWatch(absl::StrCat(testing::GetEnvironment()->bpffs, "/agent-", ++count)));
  SHUNT_RETURN_IF_ERROR(result->Launch(manifests));
  return result;
}

absl::Status AgentWatch::Launch(const std::string& manifests) {
  const std::string& directory = testing::GetEnvironment()->directory;
  const std::string cgroup = testing::GetEnvironment()->cgroup + "/agent";
  if (access(cgroup.c_str(), F_OK) != 0) SHUNT_RETURN_IF_ERROR(testing::MakeCgroup(cgroup));
  const double start = NowNs();
  SHUNT_ASSIGN_OR_RETURN(
      process_, testing::AgentProcess::Start(
                    {"--manifests", manifests, "--hostname-override", "node-0", "--cgroup", cgroup,
                     "--bpffs", bpffs_, "--api-socket", directory + "/agent.sock"},
                    directory + "/agent.log"));
  // It pins its maps last.
  const std::string last = bpffs_ + "/shunt_meta";
  if (!testing::WaitFor([&] { return access(last.c_str(), F_OK) == 0; }, kLimit)) {
    return absl::DeadlineExceededError("the agent does not serve: " + process_->Log());
  }
  start_ns_ = NowNs() - start;
  frontends_ = UniqueFd(bpf_obj_get((bpffs_ + "/shunt_frontends").c_str()));
  return frontends_.ok() ? absl::OkStatus() : ErrnoStatus("pin of shunt_frontends");
}

AgentWatch::~AgentWatch() {
  if (process_ == nullptr) return;
  process_->Signal(SIGTERM);
  process_->WaitForExit(kLimit);
  RemoveDatapath(bpffs_).IgnoreError();  // the file system goes with the run
}

double AgentWatch::MemoryMiB(const std::string& field) const {
  std::ifstream status(absl::StrCat("/proc/", process_->pid(), "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) return atof(line.c_str() + field.size() + 1) / 1024;
  }
  return 0;
}

absl::Status AgentWatch::WaitUntilGone(int service) const {
  const FrontendKey frontend = {.address = ServiceAddress(service), .port = kServicePort};
  const auto is_gone = [&] { return ListOf(frontends_.get(), frontend).count == 0; };
  return testing::WaitFor(is_gone, kLimit)
             ? absl::OkStatus()
             : absl::DeadlineExceededError(frontend.ToString() + " is still in the map");
}

absl::StatusOr<double> AgentWatch::NsUntilChanged(int service, const std::string& file,
                                                  const std::string& text) {
  const FrontendKey frontend = {.address = ServiceAddress(service), .port = kServicePort};
  const shunt_range before = ListOf(frontends_.get(), frontend);
  UniqueFd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.ok()) return ErrnoStatus(file);
  if (write(fd.get(), text.data(), text.size()) < 0) return ErrnoStatus(file);
  const double start = NowNs();
  fd = UniqueFd();  // closes it
  while (NowNs() < start + absl::ToDoubleNanoseconds(kLimit)) {
    if (!IsSame(before, ListOf(frontends_.get(), frontend))) return NowNs() - start;
  }
  return absl::DeadlineExceededError(file + " was changed, and the map was not");
}

}  // namespace shunt::bench
