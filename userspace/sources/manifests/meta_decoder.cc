// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "userspace/model/fields.h"
#include "userspace/sources/manifests/decoders.h"

namespace shunt {
namespace {

// A Service's name becomes a DNS label, that of a slice or node need not.
NameRule RuleOf(Kind kind) {
  return kind == Kind::kService ? NameRule::kLabel : NameRule::kSubdomain;
}

std::optional<std::string> DecodeLabel(const Value& value, NameRule rule) {
  const std::string_view text = value.Text();
  if (value.report().rejected()) return std::nullopt;
  if (value.absent()) {
    value.report().Reject(value.path(), "is missing");
    return std::nullopt;
  }
  if (!CheckName(text, rule, value.path(), value.report())) return std::nullopt;
  return std::string(text);
}

}  // namespace

std::optional<NamespacedName> DecodeName(const Value& object, Kind kind) {
  const Value metadata = object.Map("metadata");
  const std::optional<std::string> name = DecodeLabel(metadata.Get("name"), RuleOf(kind));
  if (!name) return std::nullopt;
  if (kind == Kind::kNode) return NamespacedName{.name = *name};

  const Value name_space = metadata.Get("namespace");
  if (name_space.absent()) return NamespacedName{.name_space = "default", .name = *name};
  const std::optional<std::string> valid = DecodeLabel(name_space, NameRule::kLabel);
  if (!valid) return std::nullopt;
  return NamespacedName{.name_space = *valid, .name = *name};
}

ObjectMeta DecodeMeta(const Value& object, NamespacedName name) {
  const Value metadata = object.Map("metadata");
  const Value created = metadata.Get("creationTimestamp");
  return {.name = std::move(name),
          .created = ReadTime(created.Text(), created.path(), created.report())};
}

}  // namespace shunt
