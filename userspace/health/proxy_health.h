// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_HEALTH_PROXY_HEALTH_H_
#define SHUNT_HEALTH_PROXY_HEALTH_H_

#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "userspace/http/http_server.h"

namespace shunt {

// Whether load balancers outside may send traffic to this node: kube-proxy's
// rules (semantics.md 2.11).
//
// Healthy: no change waits longer than `timeout` to be written to the kernel.
// Eligible: the Node is known, and nobody is about to remove it. Service ports
// that the kernel has no room for are no matter here: they would take every node
// of the cluster out of every load balancer at the same moment.
//
// Thread-safe; never waits.
class ProxyHealth {
 public:
  struct Options {
    absl::Duration timeout = absl::Seconds(60);  // kube-proxy: twice its syncPeriod
    // Whether packets that come from outside are served here. Where they are
    // not, load balancers must not send any.
    bool serves_outside = false;
  };
  explicit ProxyHealth(const Options& options)
      : serves_outside_(options.serves_outside), timeout_(options.timeout) {}

  // Something waits to be written. Until Updated() was called once that is no
  // matter: the sources are still listing.
  void Queued(absl::Time now = absl::Now()) ABSL_LOCKS_EXCLUDED(mutex_);
  // The kernel was told all that was known.
  void Updated(absl::Time now = absl::Now()) ABSL_LOCKS_EXCLUDED(mutex_);
  // Not eligible before it is called: nobody knows the Node.
  void SetNodeEligible(bool eligible) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetTimeout(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);

  bool healthy(absl::Time now = absl::Now()) const ABSL_LOCKS_EXCLUDED(mutex_);
  // As /livez has it, where traffic from outside is concerned.
  bool serves_outside(absl::Time now = absl::Now()) const ABSL_LOCKS_EXCLUDED(mutex_);

  // The answers to /healthz and /livez, as kube-proxy writes them.
  HttpResponse Healthz(absl::Time now = absl::Now()) const ABSL_LOCKS_EXCLUDED(mutex_);
  HttpResponse Livez(absl::Time now = absl::Now()) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  bool HealthyAt(absl::Time now) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  std::string Body(absl::Time now, std::optional<bool> eligible) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const bool serves_outside_;
  mutable absl::Mutex mutex_;
  absl::Duration timeout_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> oldest_queued_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> last_updated_ ABSL_GUARDED_BY(mutex_);
  bool node_eligible_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace shunt

#endif  // SHUNT_HEALTH_PROXY_HEALTH_H_
