// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/agent.h"

#include <pthread.h>
#include <signal.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/mutex.h"
#include "userspace/agent/cluster_source.h"
#include "userspace/agent/control_loop.h"
#include "userspace/agent/flow_sweeper.h"
#include "userspace/agent/host.h"
#include "userspace/agent/node_facts.h"
#include "userspace/agent/servers.h"
#include "userspace/agent/view_exchange.h"
#include "userspace/api/server.h"
#include "userspace/base/status.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/grace_period.h"
#include "userspace/datapath/map_in_map_wait.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/reaper/reaper_client.h"
#include "userspace/store/store.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

// Signals that end the agent. Blocked in every thread, waited for in one.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  // 0: none came in that time.
  int Wait(absl::Duration limit) const {
    const timespec time = absl::ToTimespec(limit);
    const int signal = sigtimedwait(&signals_, nullptr, &time);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t signals_;
};

// How soon an edited configuration is noticed; reading it takes 0.2 ms.
constexpr absl::Duration kRereadInterval = absl::Seconds(5);

// Whether a process that is started now, with the same arguments, would serve. Says on
// stderr why not.
bool WouldStart(const Options& options) {
  std::vector<const char*> words;
  for (const std::string& word : options.arguments) words.push_back(word.c_str());
  const auto parsed = ParseOptions(static_cast<int>(words.size()), words.data());
  return std::holds_alternative<Options>(parsed);
}

// The reason to end, should there be one before a signal.
class FatalError {
 public:
  void Set(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    status_ = status;
    kill(getpid(), SIGTERM);
  }
  absl::Status Get() const {
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::string> ServedCgroup(const Options& options) {
  if (!options.cgroup.empty()) return options.cgroup;
  return FindCgroup2();
}

const char* SocketLbText(Datapath::SocketLb mode) {
  switch (mode) {
    case Datapath::SocketLb::kAll:
      return "all";
    case Datapath::SocketLb::kHost:
      return "host";
    case Datapath::SocketLb::kOff:
      return "off";
  }
  return "";
}

Datapath::Timeouts TimeoutsOf(const ProxyConfig& config) {
  return {.udp = config.Duration("conntrack.udpTimeout"),
          .udp_stream = config.Duration("conntrack.udpStreamTimeout"),
          .tcp_established = config.Duration("conntrack.tcpEstablishedTimeout"),
          .tcp_close_wait = config.Duration("conntrack.tcpCloseWaitTimeout")};
}

absl::StatusOr<std::unique_ptr<Datapath>> OpenDatapath(const Options& options,
                                                       const std::string& cgroup) {
  auto datapath = Datapath::Open({.bpffs = options.bpffs,
                                  .cgroup = cgroup,
                                  .build = SHUNT_VERSION,
                                  .socket_lb = options.socket_lb,
                                  .packets = options.packets,
                                  .masquerade_all = options.config.MasqueradeAll(),
                                  .timeouts = TimeoutsOf(options.config)});
  // Where another agent is running (Unavailable), the node is served.
  if (!datapath.ok() && !absl::IsUnavailable(datapath.status())) {
    TellBeforeTheEnd(options, FailedToLoadPrograms(datapath.status()));
  }
  return datapath;
}

AgentView Identity(const Options& options, const std::string& cgroup, const Datapath& datapath) {
  AgentView identity;
  identity.version = SHUNT_VERSION;
  identity.node_name = options.node_name;
  identity.started = absl::Now();
  identity.cgroup = cgroup;
  identity.bpffs = options.bpffs;
  identity.socket_lb = SocketLbText(options.socket_lb);
  identity.refusal = datapath.config().has_set_retval ? "ECONNREFUSED" : "EPERM";
  return identity;
}

}  // namespace

absl::StatusOr<ServeEnd> Serve(const Options& options) {
  for (const std::string& warning : options.config_warnings) {
    LogWarning("configuration", {{"warning", warning}});
  }
  const EndSignals signals;
  FatalError fatal;
  SHUNT_ASSIGN_OR_RETURN(const std::string cgroup, ServedCgroup(options));
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<Datapath> datapath, OpenDatapath(options, cgroup));
  RcuGracePeriod grace_period(MembarrierOr(MapInMapWait()));
  Reconciler reconciler(datapath->maps(), grace_period);
  SHUNT_RETURN_IF_ERROR(reconciler.Adopt());

  ControlLoop* wake = nullptr;  // nothing wakes it before it is there: see below
  Servers* queued = nullptr;    // as well
  Store store(options.node_name, [&wake, &queued] {
    queued->Queued();
    wake->OnChange();
  });
  ClusterSource source;
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<Servers> servers, Servers::Start(options, store, source));
  queued = servers.get();
  ViewExchange views(options.bpffs, store, source, [&wake] { wake->OnViewWanted(); });
  ReaperClient reaper(options.reaper_socket, [&](const ReaperClient::State& state) {
    servers->SocketsEnded(state.ended);
    views.Advance();
  });
  ControlLoop loop({.store = store,
                    .datapath = *datapath,
                    .reconciler = reconciler,
                    .views = views,
                    .servers = *servers,
                    .reaper = reaper,
                    .source = source,
                    .identity = Identity(options, cgroup, *datapath),
                    .node_port_addresses = options.node_port_addresses,
                    .packets = options.packets,
                    .devices = options.devices,
                    .pod_detector = PodDetectorOf(options.config)},
                   [&fatal](const absl::Status& status) { fatal.Set(status); });
  wake = &loop;
  SHUNT_ASSIGN_OR_RETURN(
      std::unique_ptr<AddressWatch> addresses,
      AddressWatch::Start([&loop](const HostAddresses& host) { loop.OnHostAddresses(host); }));
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<ApiServer> api,
                         ApiServer::Start(options.api_socket, views));
  SHUNT_RETURN_IF_ERROR(source.Start(options, store));
  const absl::Cleanup stop = [&source] { source.Stop(); };
  source.Record(Starting());
  LogInfo("started", {{"version", SHUNT_VERSION},
                      {"node", options.node_name},
                      {"source", source.Describe()},
                      {"bpffs", options.bpffs},
                      {"socket", options.api_socket}});
  SetOomScore(options.config.Integer("oomScoreAdj"));
  loop.Start();
  std::optional<FlowSweeper> sweeper;
  if (options.packets) sweeper.emplace(options.bpffs);
  int signal = 0;
  while ((signal = signals.Wait(kRereadInterval)) == 0) {
    if (!servers->config_watch().Reread()) continue;
    loop.OnChange();
    if (options.reload_all && servers->config_watch().differs() && WouldStart(options)) {
      LogInfo("starting anew with the configuration that has changed");
      return ServeEnd::kReload;
    }
  }
  if (absl::Status status = fatal.Get(); !status.ok()) {
    TellBeforeTheEnd(options, FailedToLoadPrograms(status));
    return status;
  }
  LogInfo("ending, the kernel goes on serving", {{"signal", strsignal(signal)}});
  return ServeEnd::kSignal;
}

}  // namespace shunt
