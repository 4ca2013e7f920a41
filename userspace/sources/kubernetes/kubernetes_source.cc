// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/kubernetes_source.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/status.h"
#include "userspace/sources/kubernetes/cluster_access.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

constexpr absl::Duration kPatienceWithNode = absl::Seconds(1);

double Random() {
  thread_local absl::BitGen generator;
  return absl::Uniform(generator, 0.0, 1.0);
}

// As kube-proxy chooses them.
Resource Services() {
  return {.kind = Kind::kService,
          .api_version = "v1",
          .path = "/api/v1/services",
          .label_selector = "!service.kubernetes.io/service-proxy-name",
          .field_selector = "spec.clusterIP!=None"};
}

Resource EndpointSlices() {
  return {.kind = Kind::kEndpointSlice,
          .api_version = "discovery.k8s.io/v1",
          .path = "/apis/discovery.k8s.io/v1/endpointslices",
          .label_selector = "!service.kubernetes.io/headless"};
}

Resource OwnNode(const std::string& name) {
  return {.kind = Kind::kNode,
          .api_version = "v1",
          .path = "/api/v1/nodes",
          .field_selector = absl::StrCat("metadata.name=", name)};
}

// libcurl is told to leave signals alone, for this is no thread of its own; but
// OpenSSL writes to connections that the server has closed.
void BlockSigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

absl::Duration KubernetesSource::Stats::Staleness(absl::Time now) const {
  absl::Duration staleness = absl::ZeroDuration();
  for (const Progress& resource : progress) {
    const Reflector::Status& status = resource.status;
    if (status.listed) staleness = std::max(staleness, now - status.heard);
  }
  return staleness;
}

std::string KubernetesSource::Stats::Describe(absl::Time now) const {
  std::string line = absl::StrCat("kubernetes ", server);
  const bool listed = std::all_of(progress.begin(), progress.end(),
                                  [](const Progress& p) { return p.status.listed; });
  if (listed) {
    absl::StrAppend(&line, ", heard ",
                    absl::FormatDuration(absl::Trunc(Staleness(now), absl::Seconds(1))), " ago");
  }
  if (!error.empty()) absl::StrAppend(&line, listed ? "; " : ", not yet listed: ", error);
  return line;
}

absl::StatusOr<std::unique_ptr<KubernetesSource>> KubernetesSource::Start(const Options& options,
                                                                          Store& store) {
  SHUNT_ASSIGN_OR_RETURN(
      ClusterAccess access,
      FindClusterAccess(options.kubeconfigs, options.master, options.api_servers));
  access.servers.file = options.servers_file;
  return std::unique_ptr<KubernetesSource>(
      new KubernetesSource(std::move(access.config), std::move(access.servers), options, store));
}

KubernetesSource::KubernetesSource(ClientConfig config, ApiServers::Config servers,
                                   const Options& options, Store& store)
    : store_(store),
      servers_(std::move(servers)),
      credentials_(std::move(config), [this] { transport_.Wake(); }),
      transport_({.servers = servers_,
                  .credentials = credentials_,
                  .user_agent = options.user_agent,
                  .on_answer = [this](const AnswerKey& answer) { ++requests_[answer]; }}),
      events_({.node_name = options.node_name,
               .transport = transport_,
               .now = &absl::Now,
               .random = &Random,
               .wake = [this] { transport_.Wake(); }}) {
  AddFollower("services", Services(), options.doubts_lists);
  AddFollower("endpointslices", EndpointSlices(), options.doubts_lists);
  AddFollower("nodes", OwnNode(options.node_name), options.doubts_lists);
  followers_.back().reflector->CountRefusalAsListed();
  Publish();
  thread_ = std::thread([this] { Run(); });
}

KubernetesSource::~KubernetesSource() {
  stop_ = true;
  transport_.Wake();
  thread_.join();
}

void KubernetesSource::AddFollower(std::string_view name, Resource resource, bool doubts_lists) {
  Follower follower{.name = name};
  follower.table = std::make_unique<ResourceTable>(
      resource.kind, store_, [this](const ObjectChange& change) { servers_.OnChange(change); });
  follower.reflector = std::make_unique<Reflector>(Reflector::Parts{.resource = std::move(resource),
                                                                    .transport = transport_,
                                                                    .table = *follower.table,
                                                                    .now = &absl::Now,
                                                                    .random = &Random,
                                                                    .doubts_lists = doubts_lists});
  followers_.push_back(std::move(follower));
}

void KubernetesSource::Run() {
  pthread_setname_np(pthread_self(), "shunt-kube");
  BlockSigpipe();
  while (!stop_) {
    const absl::Time next = Tick();
    transport_.Run(next - absl::Now());
    MarkListed();
    Log();
    Publish();
  }
}

absl::Time KubernetesSource::Tick() {
  const absl::Time now = absl::Now();
  absl::Time next = credentials_.Tick(now);
  next = std::min(next, transport_.Tick(now));
  for (const Follower& follower : followers_) {
    follower.reflector->Tick();
    next = std::min(next, follower.reflector->NextTick());
  }
  if (!services_listed_) return std::min(next, patience_end_);
  events_.Tick();
  return std::min(next, events_.NextTick());
}

// Before Services and slices are listed nothing is taken from the store; before the
// Node is, nothing deleted. What is planned without the Node may have to be moved
// once it is there, so where nothing is wrong with it, it gets a moment.
void KubernetesSource::MarkListed() {
  if (synced_) return;
  const auto listed = [](const Follower& f) { return f.reflector->status().listed; };
  const Follower& node = followers_.back();
  if (!std::all_of(followers_.begin(), followers_.end() - 1, listed)) return;
  if (listed(node)) {
    services_listed_ = synced_ = true;
    return store_.MarkSynced();
  }
  const absl::Time now = absl::Now();
  patience_end_ = std::min(patience_end_, now + kPatienceWithNode);
  const bool is_late = now >= patience_end_ || !node.reflector->status().error.empty();
  if (!is_late || std::exchange(services_listed_, true)) return;
  LogWarning("the Node is late: what needs none is served, and nothing deleted yet", {});
  store_.MarkServicesListed();
}

void KubernetesSource::Log() {
  for (Follower& follower : followers_) {
    const std::string& error = follower.reflector->status().error;
    if (error == follower.logged_error) continue;
    const bool is_new = !IsLogged(error);  // one cause, one line
    follower.logged_error = error;
    if (!is_new) continue;
    if (!error.empty()) {
      LogWarning("the API server cannot be followed",
                 {{"resource", follower.name},
                  {"server", servers_.Current().url.ToString()},
                  {"err", error}});
    } else {
      LogInfo("following the API server", {{"resource", follower.name}});
    }
  }
  const std::string file_error(servers_.file_status().message());
  if (file_error != logged_file_error_ && !file_error.empty()) {
    LogWarning("the addresses of the API servers are not kept for the next boot",
               {{"err", servers_.file_status()}});
  }
  logged_file_error_ = file_error;
}

bool KubernetesSource::IsLogged(const std::string& error) const {
  return !error.empty() &&
         std::any_of(followers_.begin(), followers_.end(),
                     [&](const Follower& follower) { return follower.logged_error == error; });
}

// Each error once, with the resources that have it.
std::string KubernetesSource::Error() const {
  std::map<std::string, std::vector<absl::string_view>> resources;
  for (const Follower& follower : followers_) {
    const std::string& error = follower.reflector->status().error;
    if (!error.empty()) resources[error].push_back(Absl(follower.name));
  }
  std::vector<std::string> errors;
  if (!credentials_.status().ok()) errors.emplace_back(credentials_.status().message());
  for (const auto& [error, names] : resources) {
    errors.push_back(absl::StrCat(absl::StrJoin(names, ", "), ": ", error));
  }
  return absl::StrJoin(errors, "; ");
}

void KubernetesSource::Publish() {
  Stats stats{.server = servers_.Current().url.ToString(),
              .requests = requests_,
              .events = events_.status(),
              .error = Error()};
  for (const Follower& follower : followers_) {
    stats.progress.push_back({.resource = follower.name, .status = follower.reflector->status()});
  }
  absl::MutexLock lock(&mutex_);
  stats_ = std::move(stats);
}

KubernetesSource::Stats KubernetesSource::stats() const {
  absl::MutexLock lock(&mutex_);
  return stats_;
}

}  // namespace shunt
