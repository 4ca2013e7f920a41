// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/post_node_event.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "userspace/base/status.h"
#include "userspace/sources/kubernetes/cluster_access.h"
#include "userspace/sources/kubernetes/node_events.h"

namespace shunt {

absl::Status PostNodeEvent(const KubernetesSource::Options& options, NodeEvent event,
                           absl::Duration limit) {
  SHUNT_ASSIGN_OR_RETURN(
      ClusterAccess access,
      FindClusterAccess(options.kubeconfigs, options.master, options.api_servers));
  access.servers.file = options.servers_file;
  ApiServers servers(std::move(access.servers));
  CredentialStore credentials(std::move(access.config), [] {});
  CurlTransport transport({.servers = servers,
                           .credentials = credentials,
                           .user_agent = options.user_agent,
                           .on_answer = [](const AnswerKey&) {}});
  NodeEvents events({.node_name = options.node_name,
                     .transport = transport,
                     .now = &absl::Now,
                     .random = [] { return 0.0; },
                     .wake = [] {}});
  events.Record(std::move(event));
  const absl::Time end = absl::Now() + limit;
  for (absl::Time now = absl::Now(); !events.idle() && now < end; now = absl::Now()) {
    const absl::Time next = std::min(credentials.Tick(now), transport.Tick(now));
    events.Tick();
    transport.Run(std::min({next, events.NextTick(), end}) - now);
  }
  if (events.status().posted > 0) return absl::OkStatus();
  return absl::UnavailableError(events.idle() ? "it was refused" : "nobody answered in time");
}

}  // namespace shunt
