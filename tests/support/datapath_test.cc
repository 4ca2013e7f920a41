// SPDX-License-Identifier: Apache-2.0
#include "tests/support/datapath_test.h"

#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/cgroup.h"
#include "userspace/base/status.h"
#include "userspace/datapath/grace_period.h"
#include "userspace/state/dump.h"

namespace shunt::testing {

void DatapathTest::SetUp() {
  PrivilegedTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  const absl::Status opened = Open();
  ASSERT_TRUE(opened.ok()) << opened;
}

absl::Status DatapathTest::Open() {
  static int count = 0;
  const std::string name = absl::StrCat("test-", ++count);
  bpffs_ = absl::StrCat(GetEnvironment()->bpffs, "/", name);
  cgroup_ = absl::StrCat(GetEnvironment()->cgroup, "/", name);
  SHUNT_RETURN_IF_ERROR(MakeCgroup(cgroup_));
  SHUNT_RETURN_IF_ERROR(JoinCgroup(cgroup_));
  Datapath::Options opened = options();
  opened.bpffs = bpffs_;
  opened.cgroup = cgroup_;
  opened.build = "test";
  SHUNT_ASSIGN_OR_RETURN(datapath_, Datapath::Open(opened));
  grace_period_ = std::make_unique<RcuGracePeriod>(
      MembarrierOr([] { return absl::UnavailableError("tests need membarrier(2)"); }));
  reconciler_ = std::make_unique<Reconciler>(datapath_->maps(), *grace_period_);
  return reconciler_->Adopt();
}

void DatapathTest::EndAgent() {
  reconciler_.reset();
  datapath_.reset();
}

void DatapathTest::TearDown() {
  servers_.clear();
  EndAgent();
  if (cgroup_.empty()) return;
  const absl::Status removed = RemoveDatapath(bpffs_);
  EXPECT_TRUE(removed.ok()) << removed;
  EXPECT_TRUE(JoinCgroup(GetEnvironment()->cgroup).ok());
  const absl::Status cleaned = RemoveCgroup(cgroup_);
  EXPECT_TRUE(cleaned.ok()) << cleaned;
}

void DatapathTest::ApplyChanges(const StateChanges& changes) {
  const Reconciler::Result result = reconciler_->Apply(changes);
  EXPECT_EQ(result.pending, 0u);
  EXPECT_TRUE(result.failures.empty());
  if (attached_) return;
  const absl::Status status = datapath_->Attach();
  ASSERT_TRUE(status.ok()) << status;
  attached_ = true;
}

void DatapathTest::Apply(const DatapathState& state) {
  StateChanges changes = {.changed = {}, .complete = true};
  changes.changed = state;
  ApplyChanges(changes);
  EXPECT_EQ(DumpOfKernel(), Dump(state));
}

void DatapathTest::Serve(const std::vector<Listener>& listeners) {
  absl::StatusOr<std::unique_ptr<EchoServers>> servers = EchoServers::Start(listeners);
  ASSERT_TRUE(servers.ok()) << servers.status();
  servers_.push_back(*std::move(servers));
}

void DatapathTest::Serve(const std::vector<HostPort>& at, shunt_protocol protocol) {
  std::vector<Listener> listeners;
  for (const HostPort& place : at) listeners.push_back({.at = place, .protocol = protocol});
  Serve(listeners);
}

uint64_t DatapathTest::served() const {
  uint64_t sum = 0;
  for (const auto& servers : servers_) sum += servers->served();
  return sum;
}

std::string DatapathTest::DumpOfKernel() {
  absl::StatusOr<DatapathState> state = StateFromMaps(datapath_->maps());
  return state.ok() ? Dump(*state) : state.status().ToString();
}

uint64_t DatapathTest::Runs(shunt_verdict verdict) {
  absl::StatusOr<VerdictCounters> counters = ReadCounters(bpffs_);
  EXPECT_TRUE(counters.ok()) << counters.status();
  if (!counters.ok()) return 0;
  const auto& hooks = (*counters)[verdict];
  return std::accumulate(hooks.begin(), hooks.end(), uint64_t{0});
}

}  // namespace shunt::testing
