// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_EXPLAIN_CONNECT_H_
#define SHUNT_API_EXPLAIN_CONNECT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "shunt/v1/shunt.pb.h"
#include "userspace/datapath/affinity_clients.h"
#include "userspace/planner/explain.h"
#include "userspace/state/datapath_state.h"
#include "userspace/state/tracer.h"

namespace shunt {

// What a connect is explained from: all that the programs look at.
struct ConnectFacts {
  const DatapathState& state;
  std::string socket_lb;                 // "all", "host", "off"; "" unknown
  std::string refusal;                   // "ECONNREFUSED", "EPERM"; "" unknown
  std::vector<uint64_t> opt_outs;        // ids of cgroups, sorted
  std::vector<AffinityClient> affinity;  // of all service ports
};

// What would become of a connect: TraceConnect() asked, and its answer put into
// words. The host is whose network namespace the calling thread is in. Of the
// endpoints it knows those that the state holds. InvalidArgument where the
// request holds no address, port or protocol. Thread-safe.
absl::StatusOr<v1::ExplainConnectResponse> ExplainConnect(const v1::ExplainConnectRequest& request,
                                                          const ConnectFacts& facts);

// Puts in every endpoint of the Service that was found, and why each is in the
// list or not.
void AddReasons(const ServiceReason& reason, v1::ExplainConnectResponse& response);

// What the list of what is dialled decides, where that is what decides: "one of 3
// backends, each with the same chance", "no endpoint is usable".
std::string ListText(const Trace& trace, const FrontendKey& dialled);

}  // namespace shunt

#endif  // SHUNT_API_EXPLAIN_CONNECT_H_
