// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/cluster.h"

#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

struct KindOf {
  Kind operator()(const Service&) const { return Kind::kService; }
  Kind operator()(const EndpointSlice&) const { return Kind::kEndpointSlice; }
  Kind operator()(const Node&) const { return Kind::kNode; }
};

}  // namespace

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kService:
      return "Service";
    case Kind::kEndpointSlice:
      return "EndpointSlice";
    case Kind::kNode:
      return "Node";
  }
  return "?";
}

std::string ObjectKey::ToString() const {
  // A Node is in no namespace.
  return absl::StrCat(Absl(KindName(kind)), " ",
                      name.name_space.empty() ? name.name : name.ToString());
}

ObjectKey KeyOf(const Object& object) {
  return {.kind = std::visit(KindOf{}, object),
          .name = std::visit([](const auto& o) { return o.meta.name; }, object)};
}

}  // namespace shunt
