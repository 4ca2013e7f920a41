// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_STATUS_RESPONSE_H_
#define SHUNT_API_STATUS_RESPONSE_H_

#include "absl/status/statusor.h"
#include "shunt/v1/shunt.pb.h"
#include "userspace/api/agent_view.h"

namespace shunt {

// What GetStatus answers. Pure. Counters that cannot be read are an error in
// the answer, not of the answer.
v1::GetStatusResponse StatusResponse(const AgentView& view,
                                     const absl::StatusOr<VerdictCounters>& counters,
                                     const absl::StatusOr<AffinityCounts>& affinity);

}  // namespace shunt

#endif  // SHUNT_API_STATUS_RESPONSE_H_
