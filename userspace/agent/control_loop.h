// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_CONTROL_LOOP_H_
#define SHUNT_AGENT_CONTROL_LOOP_H_

#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "userspace/agent/node_port_addresses.h"
#include "userspace/agent/pod_detector.h"
#include "userspace/agent/servers.h"
#include "userspace/agent/view_exchange.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/planner/planner.h"
#include "userspace/reaper/reaper_client.h"
#include "userspace/sources/netlink/address_watch.h"
#include "userspace/store/store.h"

namespace shunt {

// The control thread: takes what changed from the store, plans it, writes it to
// the kernel, and retries what failed. It alone touches planner, reconciler and
// maps, so none of them needs a lock.
class ControlLoop {
 public:
  struct Parts {
    Store& store;
    Datapath& datapath;
    Reconciler& reconciler;  // has adopted what an earlier agent left
    ViewExchange& views;
    Servers& servers;
    ReaperClient& reaper;
    const ClusterSource& source;
    AgentView identity;  // version, node name, paths: what never changes
    NodePortAddressRule node_port_addresses;
    bool packets = false;              // Datapath::Options::packets
    std::vector<std::string> devices;  // for PacketDevices()
    PodDetector pod_detector;
  };
  // Called once, from the control thread, when the programs cannot be put in
  // charge. The loop has ended then.
  using OnFatal = std::function<void(const absl::Status&)>;

  ControlLoop(Parts parts, OnFatal on_fatal);
  ~ControlLoop();  // ends the thread; traffic goes on

  void Start();
  // From any thread: something changed in the store; somebody wants a view.
  void OnChange() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnHostAddresses(const HostAddresses& host) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnViewWanted() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class Work { kUpdate, kView, kStop };

  void Run();
  Work WaitForWork() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Update();
  void Trim();
  void Apply(const ClusterChanges& changes);
  StateChanges PlanOf(const ClusterChanges& changes);
  absl::Status TakeCharge();
  void ServePackets(const Node* node);
  absl::Status SetOrigins(const Node* node);
  absl::Status SetDevices();
  void Report(const Reconciler::Result& result);
  void ShowView();
  bool TakeHost(const ClusterChanges& changes) ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> Warnings() const;
  AgentView MakeView(uint64_t generation) const;

  const Parts parts_;
  const OnFatal on_fatal_;

  // Of the control thread.
  Planner planner_;
  HostAddresses host_;
  std::optional<std::vector<PacketDevice>> devices_;  // that are served; nullopt: not known
  std::optional<std::vector<PacketOrigin>> origins_;  // likewise
  Reconciler::Result result_;
  bool all_listed_ = false;  // by the sources: what is not there is gone
  bool complete_ = false;    // the reconciler knows it all
  bool in_charge_ = false;
  absl::Time last_apply_ = absl::InfinitePast();
  absl::Duration last_apply_took_;
  absl::Duration retry_delay_;
  size_t planned_ = 0;  // Services, since free memory was given back
  absl::Time trim_at_ = absl::InfiniteFuture();
  // When packets that could not be served are tried again.
  absl::Time packets_retry_ = absl::InfiniteFuture();
  absl::Duration packets_delay_;

  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool changed_ ABSL_GUARDED_BY(mutex_) = true;  // what is there at the start
  bool view_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<HostAddresses> new_host_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // uses all the others
};

}  // namespace shunt

#endif  // SHUNT_AGENT_CONTROL_LOOP_H_
