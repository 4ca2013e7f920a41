// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_KUBERNETES_SOURCE_H_
#define SHUNT_SOURCES_KUBERNETES_KUBERNETES_SOURCE_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "userspace/sources/kubernetes/curl_transport.h"
#include "userspace/sources/kubernetes/node_events.h"
#include "userspace/sources/kubernetes/reflector.h"
#include "userspace/store/store.h"

namespace shunt {

// Follows Services, EndpointSlices and the own Node at an API server, and keeps
// the store as they are. A server that is away changes nothing in the store.
class KubernetesSource {
 public:
  struct Options {
    std::vector<std::string> kubeconfigs;  // none: what a pod finds in its environment
    std::string master;                    // a server's URL; goes before kubeconfig's
    std::vector<std::string> api_servers;  // URLs, or HOST:PORT; go before both
    std::string node_name;
    // Where the addresses of API servers outlive a reboot; "" for nowhere.
    std::string servers_file = "/var/lib/shunt/api-servers";
    std::string user_agent;
    // A list without most of what is known counts when a second one says so too.
    bool doubts_lists = true;
  };

  // Of one resource.
  struct Progress {
    std::string_view resource;  // "services", "endpointslices", "nodes"
    Reflector::Status status;
  };

  struct Stats {
    std::string server;  // "https://10.0.0.1:6443"
    std::vector<Progress> progress;
    std::map<AnswerKey, uint64_t> requests;
    NodeEvents::Status events;
    std::string error;  // what hinders it now; "" where all is well

    // How old what is known may be.
    absl::Duration Staleness(absl::Time now) const;
    // One line for people.
    std::string Describe(absl::Time now) const;
  };

  // Starts the thread. Fails where the configuration makes no sense; a server
  // that does not answer is waited for. `store` outlives the source.
  static absl::StatusOr<std::unique_ptr<KubernetesSource>> Start(const Options& options,
                                                                 Store& store);
  ~KubernetesSource();  // ends the thread

  // From any thread. Tells the API server, once all is listed, which matters more.
  void Record(NodeEvent event) { events_.Record(std::move(event)); }
  Stats stats() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // What follows one resource.
  struct Follower {
    std::string_view name;
    std::unique_ptr<ResourceTable> table;
    std::unique_ptr<Reflector> reflector;
    std::string logged_error;
  };

  KubernetesSource(ClientConfig config, ApiServers::Config servers, const Options& options,
                   Store& store);

  void AddFollower(std::string_view name, Resource resource, bool doubts_lists);
  void Run();
  absl::Time Tick();
  void MarkListed();
  void Log();
  bool IsLogged(const std::string& error) const;
  void Publish() ABSL_LOCKS_EXCLUDED(mutex_);
  std::string Error() const;

  Store& store_;
  ApiServers servers_;
  CredentialStore credentials_;
  CurlTransport transport_;
  std::vector<Follower> followers_;                // use all the above
  NodeEvents events_;                              // likewise
  bool services_listed_ = false, synced_ = false;  // as the store was told
  absl::Time patience_end_ = absl::InfiniteFuture();
  std::string logged_file_error_;
  std::map<AnswerKey, uint64_t> requests_;

  mutable absl::Mutex mutex_;
  Stats stats_ ABSL_GUARDED_BY(mutex_);

  std::atomic<bool> stop_ = false;
  std::thread thread_;  // uses all the others
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_KUBERNETES_SOURCE_H_
