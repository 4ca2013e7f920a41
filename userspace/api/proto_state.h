// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_PROTO_STATE_H_
#define SHUNT_API_PROTO_STATE_H_

#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "shunt/v1/shunt.pb.h"
#include "userspace/datapath/affinity_clients.h"
#include "userspace/datapath/inspect.h"
#include "userspace/model/object.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// Between the values of userspace and the messages of shunt.v1, for both ends.
// Pure. From messages it fails with InvalidArgument where they hold what this
// version does not know, or no address.

v1::ServicePortName ToProto(const ServicePortName& name);
absl::StatusOr<ServicePortName> FromProto(const v1::ServicePortName& name);

v1::Frontend ToProto(const Frontend& frontend);
absl::StatusOr<Frontend> FromProto(const v1::Frontend& proto);

v1::Backend ToProto(const Backend& backend);
absl::StatusOr<Backend> FromProto(const v1::Backend& backend);

// The elements that say all of one service port, in order: one, or several
// where it is big. Ends early, with false, when `sink` returns false.
bool ToProtoParts(const ServicePortName& name, const ServicePortState& state,
                  absl::FunctionRef<bool(v1::ServicePort)> sink);

// Puts such elements together again.
class ServicePortAssembler {
 public:
  // Takes the next element. OK with a name: that service port is complete and
  // is in `state`.
  absl::Status Add(const v1::ServicePort& part, DatapathState& state);
  // Whether the last element promised more.
  bool incomplete() const { return incomplete_; }

 private:
  absl::Status TakeRules(const v1::ServicePort& part);

  ServicePortState gathered_;
  bool incomplete_ = false;
};

v1::Verdict ToProto(shunt_verdict verdict);
absl::StatusOr<shunt_verdict> FromProto(v1::Verdict verdict);
absl::StatusOr<shunt_protocol> FromProto(v1::Protocol protocol);
v1::Protocol ToProto(shunt_protocol protocol);
// AgentView::refusal: "ECONNREFUSED", "EPERM".
v1::Refusal RefusalToProto(std::string_view refusal);

v1::ListAffinityResponse::Item ToProto(const AffinityClient& client);
absl::StatusOr<AffinityClient> FromProto(const v1::ListAffinityResponse::Item& item);

v1::Problem ToProto(const Problem& problem);
Problem FromProto(const v1::Problem& problem);
v1::Map ToProto(const MapInfo& map);
MapInfo FromProto(const v1::Map& map);
v1::Program ToProto(const ProgramInfo& program);
ProgramInfo FromProto(const v1::Program& program);

// Adds those above 0.
void AddCounters(const VerdictCounters& counters, v1::GetStatusResponse& response);
// Leaves out what this version has no name for.
VerdictCounters CountersOf(const v1::GetStatusResponse& response);

}  // namespace shunt

#endif  // SHUNT_API_PROTO_STATE_H_
