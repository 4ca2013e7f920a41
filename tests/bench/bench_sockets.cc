// SPDX-License-Identifier: Apache-2.0
// How long after a backend is removed are its sockets ended: 10,000 translated
// UDP sockets in 50 network namespaces, the real shunt-reaper.
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/benchmark.h"
#include "tests/e2e/agent_process.h"
#include "tests/support/cgroup.h"
#include "tests/support/dial.h"
#include "tests/support/environment.h"
#include "tests/support/net_namespace.h"
#include "tests/support/resident.h"
#include "tests/support/state_builder.h"
#include "userspace/base/status.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/grace_period.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/reaper/packet_socket.h"
#include "userspace/reaper/report.h"

namespace shunt::bench {
namespace {

using testing::HostPort;

constexpr int kNamespaces = 50, kSocketsEach = 200, kBackends = 10;
constexpr double kGoalMs = 50;
constexpr int kPatienceMs = 20'000;

const HostPort kVip = HostPort::Of("10.96.0.53:53");

// The node: maps with one Service, and pods that are connected to it.
class Node {
 public:
  absl::Status Make();
  ~Node();

  // Sockets that lost their backend dial again.
  void Reconnect();
  // Removes a backend and puts it back; between the two, `between`.
  void Without(size_t backend, const std::function<void()>& removed);

  const std::string& bpffs() const { return bpffs_; }

 private:
  absl::Status MakePod();
  void Apply(const std::vector<HostPort>& backends);

  const std::vector<HostPort> backends_ = testing::Range("10.244.1.1:5353", kBackends);
  std::string bpffs_, cgroup_;
  std::unique_ptr<Datapath> datapath_;
  std::unique_ptr<GracePeriod> grace_period_;
  std::unique_ptr<Reconciler> reconciler_;
  std::vector<testing::NetNamespace> pods_;
  std::vector<testing::Resident> residents_;
  std::vector<UniqueFd> sockets_;
};

absl::Status Node::Make() {
  rlimit many = {};
  getrlimit(RLIMIT_NOFILE, &many);
  many.rlim_cur = many.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &many) < 0) return ErrnoStatus("setrlimit");
  bpffs_ = absl::StrCat(testing::GetEnvironment()->bpffs, "/sockets");
  cgroup_ = absl::StrCat(testing::GetEnvironment()->cgroup, "/sockets");
  SHUNT_RETURN_IF_ERROR(testing::MakeCgroup(cgroup_));
  SHUNT_RETURN_IF_ERROR(testing::JoinCgroup(cgroup_));
  SHUNT_ASSIGN_OR_RETURN(datapath_,
                         Datapath::Open({.bpffs = bpffs_, .cgroup = cgroup_, .build = "bench"}));
  grace_period_ = std::make_unique<RcuGracePeriod>(
      MembarrierOr([] { return absl::UnavailableError("needs membarrier(2)"); }));
  reconciler_ = std::make_unique<Reconciler>(datapath_->maps(), *grace_period_);
  SHUNT_RETURN_IF_ERROR(reconciler_->Adopt());
  Apply(backends_);
  SHUNT_RETURN_IF_ERROR(datapath_->Attach());
  for (int i = 0; i < kNamespaces; ++i) {
    ShowProgress("namespaces", i, kNamespaces);
    SHUNT_RETURN_IF_ERROR(MakePod());
  }
  ShowProgress("namespaces", kNamespaces, kNamespaces);
  return absl::OkStatus();
}

Node::~Node() {
  residents_.clear();
  reconciler_ = nullptr;
  datapath_ = nullptr;
  RemoveDatapath(bpffs_).IgnoreError();
  testing::JoinCgroup(testing::GetEnvironment()->cgroup).IgnoreError();
  testing::RemoveCgroup(cgroup_).IgnoreError();
}

absl::Status Node::MakePod() {
  SHUNT_ASSIGN_OR_RETURN(testing::NetNamespace netns, testing::NetNamespace::Make());
  SHUNT_ASSIGN_OR_RETURN(testing::Resident resident, testing::Resident::MoveInto(netns));
  absl::Status status;
  netns.Run([&] {
    std::vector<IpAddress> addresses;
    for (const HostPort& backend : backends_) addresses.push_back(backend.address);
    status = testing::AddLoopbackAddresses(addresses);
    for (int i = 0; i < kSocketsEach && status.ok(); ++i) {
      sockets_.push_back(OpenSocket(kVip, {.transport = testing::Transport::kUdpConnected}));
      const int error = testing::Connect(sockets_.back().get(), kVip);
      if (error != 0) status = ErrnoStatus("connect", error);
    }
  });
  pods_.push_back(std::move(netns));
  residents_.push_back(std::move(resident));
  return status;
}

void Node::Apply(const std::vector<HostPort>& backends) {
  reconciler_->Apply(
      {.changed = testing::MakeState({{"dns", SHUNT_UDP, {kVip}, backends}}), .complete = true});
}

void Node::Without(size_t backend, const std::function<void()>& removed) {
  std::vector<HostPort> others = backends_;
  others.erase(others.begin() + static_cast<ptrdiff_t>(backend));
  Apply(others);
  removed();
  Apply(backends_);
}

void Node::Reconnect() {
  char byte;
  for (const UniqueFd& socket : sockets_) {
    if (recv(socket.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNABORTED) {
      testing::Connect(socket.get(), kVip);
    }
  }
}

// The real program, and our connection to it.
class RunningReaper {
 public:
  static absl::StatusOr<RunningReaper> Start(const std::string& bpffs);

  // Asks, and waits for the report of the look that follows.
  absl::Status Look();
  double CpuNs() const { return ClockNs(clock_); }
  uint64_t ended() const { return report_.ended; }

 private:
  absl::Status NextReport();

  std::unique_ptr<testing::AgentProcess> process_;
  clockid_t clock_ = 0;
  UniqueFd connection_;
  ReaperReport report_;
};

absl::StatusOr<RunningReaper> RunningReaper::Start(const std::string& bpffs) {
  const std::string& directory = testing::GetEnvironment()->directory;
  const std::string socket = directory + "/reaper.sock";
  RunningReaper reaper;
  SHUNT_ASSIGN_OR_RETURN(reaper.process_, testing::AgentProcess::StartProgram(
                                              SHUNT_REAPER, {"--bpffs", bpffs, "--socket", socket},
                                              directory + "/reaper.log"));
  clock_getcpuclockid(reaper.process_->pid(), &reaper.clock_);
  absl::StatusOr<UniqueFd> connection = ConnectPacketSocket(socket);
  for (int i = 0; !connection.ok() && i < kPatienceMs; ++i) {
    poll(nullptr, 0, 1);
    connection = ConnectPacketSocket(socket);
  }
  if (!connection.ok()) return connection.status();
  reaper.connection_ = *std::move(connection);
  SHUNT_RETURN_IF_ERROR(reaper.NextReport());
  if (!reaper.report_.off.empty()) return absl::InternalError(reaper.report_.off);
  return reaper;
}

absl::Status RunningReaper::NextReport() {
  pollfd waited = {.fd = connection_.get(), .events = POLLIN, .revents = 0};
  if (poll(&waited, 1, kPatienceMs) != 1) return absl::DeadlineExceededError("no report");
  SHUNT_ASSIGN_OR_RETURN(report_,
                         ReaperReport::FromPacket(ReceivePacket(connection_.get()).value_or("")));
  return absl::OkStatus();
}

absl::Status RunningReaper::Look() {
  SendPacket(connection_.get(), kLookNow);
  return NextReport();
}

struct Samples {
  std::vector<double> wall, reaper_cpu, agent_cpu, ended;
};

absl::Status MeasureOnce(Node& node, RunningReaper& reaper, size_t backend, Samples& samples) {
  absl::Status status;
  const double start = NowNs(), cpu = CpuNs(), reaper_cpu = reaper.CpuNs();
  const uint64_t before = reaper.ended();
  node.Without(backend, [&] {
    samples.agent_cpu.push_back((CpuNs() - cpu) / 1e6);
    status = reaper.Look();
    samples.wall.push_back((NowNs() - start) / 1e6);
    samples.reaper_cpu.push_back((reaper.CpuNs() - reaper_cpu) / 1e6);
  });
  samples.ended.push_back(static_cast<double>(reaper.ended() - before));
  node.Reconnect();
  return status;
}

absl::Status Measure(const BenchOptions& options, Report& report) {
  SHUNT_RETURN_IF_ERROR(testing::EnterFreshNetwork());
  Node node;
  SHUNT_RETURN_IF_ERROR(node.Make());
  SHUNT_ASSIGN_OR_RETURN(RunningReaper reaper, RunningReaper::Start(node.bpffs()));
  const int rounds = options.quick ? 5 : 60;
  Samples samples, idle;
  for (int round = 0; round < rounds; ++round) {
    ShowProgress("backends removed", round, rounds);
    SHUNT_RETURN_IF_ERROR(MeasureOnce(node, reaper, round % kBackends, samples));
    const double cpu = reaper.CpuNs();
    SHUNT_RETURN_IF_ERROR(reaper.Look());
    idle.reaper_cpu.push_back((reaper.CpuNs() - cpu) / 1e6);
  }
  const Goal goal = {Goal::kAtMost, kGoalMs};
  const auto add = [&](const char* what, const std::vector<double>& of, const char* unit,
                       std::optional<Goal> wanted) {
    report.Add(
        {.metric = absl::StrCat("10,000 sockets in 50 namespaces, a backend of 10 goes: ", what),
         .estimate = EstimateMedian(of),
         .unit = unit,
         .goal = wanted});
  };
  add("sockets ended", samples.ended, "", {});
  add("until all are ended, wall clock", samples.wall, "ms", goal);
  add("CPU time of the reaper", samples.reaper_cpu, "ms", goal);
  add("CPU time of the agent", samples.agent_cpu, "ms", {});
  add("CPU time of a look that finds nothing", idle.reaper_cpu, "ms", {});
  return absl::OkStatus();
}

}  // namespace
}  // namespace shunt::bench

int main(int argc, char** argv) {
  return shunt::bench::RunBenchmark(argc, argv, "sockets", shunt::bench::Measure);
}
