// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <utility>

#include "userspace/sources/manifests/decoders.h"

namespace shunt {
namespace {

// nullopt: of no concern.
std::optional<Object> DecodeKind(const Value& value, Kind kind, ObjectMeta meta) {
  switch (kind) {
    case Kind::kService:
      return DecodeService(value, std::move(meta));
    case Kind::kEndpointSlice:
      return DecodeEndpointSlice(value, std::move(meta));
    case Kind::kNode:
      return DecodeNode(value, std::move(meta));
  }
  return std::nullopt;
}

}  // namespace

std::optional<DecodedObject> DecodeObject(const YamlNode& node, Kind kind,
                                          ProblemReporter& report) {
  const Value value(node, report);
  const std::optional<NamespacedName> name = DecodeName(value, kind);
  if (!name) return std::nullopt;
  DecodedObject result{.key = {.kind = kind, .name = *name}};
  report.set_object(result.key.ToString());

  std::optional<Object> object = DecodeKind(value, kind, DecodeMeta(value, *name));
  if (report.rejected()) {
    result.fate = DecodedObject::Fate::kUnusable;
  } else if (!object) {
    result.fate = DecodedObject::Fate::kOfNoConcern;
  } else {
    result.object = std::make_shared<const Object>(*std::move(object));
  }
  return result;
}

}  // namespace shunt
