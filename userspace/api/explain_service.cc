// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/explain_service.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "userspace/api/proto_explain.h"
#include "userspace/api/proto_state.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

// Of problems and of what is pending; beside the endpoints there is room for it.
constexpr size_t kTextLimit = 512 << 10;

// The Service, and every slice that names it: an endpoint that could not be read
// stands in no slice any more, but in the problems of its slice.
std::set<std::string> ObjectsOf(const ServiceInput& input) {
  std::set<std::string> objects;
  objects.insert(ObjectKey{Kind::kService, input.service->meta.name}.ToString());
  for (const auto& slice : input.slices) {
    objects.insert(ObjectKey{Kind::kEndpointSlice, slice->meta.name}.ToString());
  }
  return objects;
}

void AddProblems(const Problems& problems, const ServiceInput& input,
                 v1::ExplainServiceResponse& response) {
  const std::set<std::string> objects = ObjectsOf(input);
  size_t bytes = 0;
  for (const Problem& problem : problems) {
    if (!objects.contains(problem.object)) continue;
    v1::Problem proto = ToProto(problem);
    bytes += proto.ByteSizeLong();
    if (bytes > kTextLimit) return;
    *response.add_problems() = std::move(proto);
  }
}

void AddPending(const std::vector<std::string>& pending, const NamespacedName& name,
                v1::ExplainServiceResponse& response) {
  size_t bytes = 0;
  for (const std::string& line : pending) {
    // "shop/web: ..." or, with a named port, "shop/web:http: ...".
    if (!absl::StartsWith(line, absl::StrCat(name.ToString(), ":"))) continue;
    bytes += line.size();
    if (bytes > kTextLimit) return;
    response.add_pending(ToUtf8(line));
  }
}

}  // namespace

v1::ExplainServiceResponse ExplainServiceResponse(const AgentView& view,
                                                  const ServiceInput& input) {
  v1::ExplainServiceResponse response = ToProto(ExplainService(input, view.node, view.state));
  AddProblems(view.problems, input, response);
  AddPending(view.pending, input.service->meta.name, response);
  response.set_node_name(ToUtf8(view.node.name));
  response.set_node_zone(ToUtf8(view.node.zone));
  response.set_refusal(RefusalToProto(view.refusal));
  return response;
}

}  // namespace shunt
