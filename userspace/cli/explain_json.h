// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_EXPLAIN_JSON_H_
#define SHUNT_CLI_EXPLAIN_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "shunt/v1/shunt.pb.h"
#include "userspace/cli/json.h"
#include "userspace/model/object.h"

namespace shunt {

// Explanations as the objects that -o json prints; README.md describes their
// fields. Pure. InvalidArgument where an agent says what this version does not
// know.

absl::StatusOr<Json> ServiceExplanationJson(const NamespacedName& name,
                                            const v1::ExplainServiceResponse& response);
absl::StatusOr<Json> ConnectExplanationJson(const v1::ExplainConnectRequest& request,
                                            const v1::ExplainConnectResponse& response);

// Whether any endpoint of an explanation has hints, and what they do.
bool HasHints(const Json& endpoints);
std::string TopologyText(const Json& explanation);

}  // namespace shunt

#endif  // SHUNT_CLI_EXPLAIN_JSON_H_
