// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/control_loop.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "userspace/agent/host_warnings.h"
#include "userspace/agent/memory.h"
#include "userspace/agent/node_facts.h"
#include "userspace/agent/packet_devices.h"
#include "userspace/agent/packet_warnings.h"
#include "userspace/agent/sctp_warnings.h"
#include "userspace/base/absl_view.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

// A change is applied at once when it was quiet before. Under load changes are
// collected for this long, so that a storm costs a few updates, not thousands.
constexpr absl::Duration kMinInterval = absl::Milliseconds(5);

// What failed (a full map, no memory) is tried again: soon, then less often.
constexpr absl::Duration kFirstRetry = absl::Milliseconds(100);
constexpr absl::Duration kLastRetry = absl::Seconds(30);

// To plan so many Services (all of them at the start, a storm of changes) takes
// many megabytes for a moment. They are given back a little later, and in an
// endless storm not more often than that.
constexpr size_t kManyServices = 1'000;
constexpr absl::Duration kTrimDelay = absl::Seconds(1);

}  // namespace

ControlLoop::ControlLoop(Parts parts, OnFatal on_fatal)
    : parts_(std::move(parts)),
      on_fatal_(std::move(on_fatal)),
      planner_(parts_.identity.node_name) {}

ControlLoop::~ControlLoop() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void ControlLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void ControlLoop::OnChange() {
  absl::MutexLock lock(&mutex_);
  changed_ = true;
}

void ControlLoop::OnHostAddresses(const HostAddresses& host) {
  absl::MutexLock lock(&mutex_);
  new_host_ = host;
  changed_ = true;
}

void ControlLoop::OnViewWanted() {
  absl::MutexLock lock(&mutex_);
  view_wanted_ = true;
}

void ControlLoop::Run() {
  pthread_setname_np(pthread_self(), "shunt-control");
  for (Work work = WaitForWork(); work != Work::kStop; work = WaitForWork()) {
    if (absl::Now() >= trim_at_) Trim();
    if (work == Work::kUpdate) {
      if (absl::Status status = Update(); !status.ok()) {
        on_fatal_(status);
        return;
      }
    }
    ShowView();
    parts_.views.Turned(in_charge_ || parts_.datapath.serves_already());
  }
}

ControlLoop::Work ControlLoop::WaitForWork() {
  const absl::Time retry = std::min(
      packets_retry_, result_.pending > 0 ? last_apply_ + retry_delay_ : absl::InfiniteFuture());
  const auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stop_ || changed_ || view_wanted_;
  };
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithDeadline(absl::Condition(&stop_), last_apply_ + kMinInterval);
  mutex_.AwaitWithDeadline(absl::Condition(&has_work), std::min(retry, trim_at_));
  if (stop_) return Work::kStop;
  view_wanted_ = false;  // every turn ends with a view for who wants one
  return std::exchange(changed_, false) || absl::Now() >= retry ? Work::kUpdate : Work::kView;
}

void ControlLoop::Trim() {
  ReturnFreeMemory();
  trim_at_ = absl::InfiniteFuture();
  planned_ = 0;
}

absl::Status ControlLoop::Update() {
  if (parts_.store.services_listed()) {
    all_listed_ = parts_.store.synced();  // before Take(), which has it all then
    const ClusterChanges changes = parts_.store.Take();
    const bool host_changed = TakeHost(changes);
    const bool completes = all_listed_ && !complete_;
    if (completes || !in_charge_ || host_changed || !changes.empty() || result_.pending > 0) {
      Apply(changes);
    }
    if (!in_charge_) {
      if (absl::Status status = TakeCharge(); !status.ok()) return status;
    }
    ServePackets(changes.node.get());
    if (all_listed_) parts_.servers.UpToDate(changes.node.get(), planner_.problem_count());
  }
  parts_.views.Advance();  // also where only the problems are others
  return absl::OkStatus();
}

// Whether the host is not what it was. The Node counts where its addresses are
// those of node ports.
bool ControlLoop::TakeHost(const ClusterChanges& changes) {
  std::optional<HostAddresses> host;
  {
    absl::MutexLock lock(&mutex_);
    host = std::exchange(new_host_, std::nullopt);
  }
  if (host.has_value()) host_ = *std::move(host);
  std::vector<IpAddress> addresses =
      NodePortAddresses(parts_.node_port_addresses, host_.addresses, changes.node.get());
  const NodePortAddressRule& rule = parts_.node_port_addresses;
  if (rule.primary || !rule.ranges.empty()) parts_.servers.SetNodePortAddresses(addresses);
  planner_.SetNodePortAddresses(std::move(addresses));
  return host.has_value();
}

void ControlLoop::Apply(const ClusterChanges& changes) {
  const absl::Time start = absl::Now();
  const StateChanges planned = PlanOf(changes);
  result_ = parts_.reconciler.Apply(planned);
  last_apply_ = absl::Now();
  last_apply_took_ = last_apply_ - start;
  if (result_.leaves_stale_sockets) parts_.reaper.Look();
  Report(result_);
  parts_.servers.Applied({.took = last_apply_took_,
                          .complete = planned.complete,
                          .writes = result_.writes,
                          .pending = result_.pending},
                         changes);
  planned_ += changes.services.size();
  if (planned_ >= kManyServices) trim_at_ = std::min(trim_at_, last_apply_ + kTrimDelay);
}

// Complete once, as soon as all is listed; until then the reconciler only adds.
StateChanges ControlLoop::PlanOf(const ClusterChanges& changes) {
  StateChanges planned = planner_.Update(changes);
  planned.complete = false;
  if (!all_listed_ || std::exchange(complete_, true)) return planned;
  return planner_.Everything();
}

absl::Status ControlLoop::TakeCharge() {
  absl::Status status = parts_.datapath.Attach();
  if (!status.ok()) return status;
  in_charge_ = true;
  parts_.reaper.Look();  // at the maps that are pinned now
  LogInfo("serving", {{"servicePorts", planner_.state().size()},
                      {"writes", result_.writes},
                      {"took", last_apply_took_},
                      {"cgroup", parts_.identity.cgroup}});
  return absl::OkStatus();
}

// What fails is tried again, as what the kernel does not hold.
void ControlLoop::ServePackets(const Node* node) {
  if (!parts_.packets) return;
  absl::Status status = SetOrigins(node);
  status.Update(SetDevices());
  if (status.ok()) {
    packets_delay_ = absl::ZeroDuration();
    packets_retry_ = absl::InfiniteFuture();
    return;
  }
  packets_delay_ = std::clamp(packets_delay_ * 2, kFirstRetry, kLastRetry);
  packets_retry_ = absl::Now() + packets_delay_;
  LogWarning("packets of some devices are not served",
             {{"reason", Std(status.message())}, {"retryIn", packets_delay_}});
  parts_.source.Record(FailedToServeDevices(status));
}

absl::Status ControlLoop::SetOrigins(const Node* node) {
  std::vector<PacketOrigin> origins = PacketOrigins(parts_.pod_detector, host_.addresses, node);
  if (origins_ == origins) return absl::OkStatus();
  origins_.reset();
  if (absl::Status status = parts_.datapath.SetOrigins(origins); !status.ok()) return status;
  origins_ = std::move(origins);
  return absl::OkStatus();
}

absl::Status ControlLoop::SetDevices() {
  std::vector<PacketDevice> devices = PacketDevices(parts_.devices, parts_.pod_detector, host_);
  if (devices_ == devices) return absl::OkStatus();
  devices_.reset();
  if (absl::Status status = parts_.datapath.SetDevices(devices); !status.ok()) return status;
  LogInfo("packets are served", {{"devices", NamesOf(devices)}});
  devices_ = std::move(devices);
  return absl::OkStatus();
}

void ControlLoop::Report(const Reconciler::Result& result) {
  LogVerbose(2, "applied", {{"writes", result.writes}, {"took", last_apply_took_}});
  if (result.pending == 0) {
    retry_delay_ = absl::ZeroDuration();
    return;
  }
  retry_delay_ = std::clamp(retry_delay_ * 2, kFirstRetry, kLastRetry);
  LogWarning("the kernel does not hold all of it yet, trying again",
             {{"servicePorts", result.pending},
              {"first", result.failures.front().ToString()},
              {"retryIn", retry_delay_}});
  const auto full = std::find_if(result.failures.begin(), result.failures.end(), &WaitsForRoom);
  if (full != result.failures.end()) parts_.source.Record(MapFull(*full, result.pending));
}

void ControlLoop::ShowView() {
  if (std::optional<uint64_t> generation = parts_.views.Wanted()) {
    parts_.views.Publish(std::make_shared<const AgentView>(MakeView(*generation)));
  }
}

std::vector<std::string> ControlLoop::Warnings() const {
  const DatapathState& state = planner_.state();
  std::vector<std::string> warnings = HostWarnings(state, host_);
  const auto add = [&warnings](const std::vector<std::string>& more) {
    warnings.insert(warnings.end(), more.begin(), more.end());
  };
  add(NodePortWarnings(state, ReadNetSysctl));
  if (devices_.has_value()) add(PacketWarnings(state, *devices_, ReadNetSysctl));
  if (parts_.packets) add(SctpWarnings(state));
  if (parts_.servers.config_watch().differs()) {
    warnings.emplace_back(
        "the configuration has changed since the agent started; a restart takes it");
  }
  return warnings;
}

AgentView ControlLoop::MakeView(uint64_t generation) const {
  AgentView view = parts_.identity;
  view.generation = generation;
  view.synced = in_charge_ && complete_;
  view.last_apply = last_apply_;
  view.last_apply_took = last_apply_took_;
  const ReaperClient::State reaper = parts_.reaper.state();
  view.socket_ending = reaper.ending;
  view.sockets_ended = reaper.ended;
  view.state = planner_.state();
  view.node = planner_.node();
  view.warnings = Warnings();
  view.problems = parts_.store.problems();
  const Problems planned = planner_.problems();
  view.problems.insert(view.problems.end(), planned.begin(), planned.end());
  std::sort(view.problems.begin(), view.problems.end());
  for (const auto& failure : result_.failures) view.pending.push_back(failure.ToString());
  return view;
}

}  // namespace shunt
