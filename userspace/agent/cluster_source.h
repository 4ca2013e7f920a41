// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_CLUSTER_SOURCE_H_
#define SHUNT_AGENT_CLUSTER_SOURCE_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "userspace/agent/options.h"
#include "userspace/metrics/families.h"
#include "userspace/sources/kubernetes/kubernetes_source.h"
#include "userspace/sources/manifests/manifest_source.h"
#include "userspace/store/store.h"

namespace shunt {

// The source that the options chose, and what it says of itself. Who asks may do
// so before it starts and after it stopped. Thread-safe.
class ClusterSource {
 public:
  // `store` has to be there until Stop().
  absl::Status Start(const Options& options, Store& store) ABSL_LOCKS_EXCLUDED(mutex_);
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  // An Event on the Node, where there is an API server. Waits for nothing.
  void Record(NodeEvent event) const ABSL_LOCKS_EXCLUDED(mutex_);

  // "manifests /etc/shunt/manifests", "kubernetes https://10.0.0.1:6443, heard 3s ago".
  std::string Describe() const ABSL_LOCKS_EXCLUDED(mutex_);
  MetricFamilies Metrics() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  std::string manifests_path_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<ManifestSource> manifests_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<KubernetesSource> kubernetes_ ABSL_GUARDED_BY(mutex_);
};

// Of a source that follows an API server: client-go's rest_client_requests_total,
// and ours.
MetricFamilies ApiClientFamilies(const KubernetesSource::Stats& stats, absl::Time now);

}  // namespace shunt

#endif  // SHUNT_AGENT_CLUSTER_SOURCE_H_
