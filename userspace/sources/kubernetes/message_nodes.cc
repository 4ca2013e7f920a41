// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/message_nodes.h"

#include <google/protobuf/descriptor.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "userspace/sources/kubernetes/proto/kubernetes.pb.h"

namespace shunt {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsEntries(const FieldDescriptor& field) {
  return field.message_type() == kubernetes::Entry::descriptor();
}

bool Has(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  return field.is_repeated() ? reflection.FieldSize(message, &field) > 0
                             : reflection.HasField(message, &field);
}

std::string TextOf(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  return index < 0 ? reflection.GetString(message, &field)
                   : reflection.GetRepeatedString(message, &field, index);
}

const Message& MemberOf(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  return index < 0 ? reflection.GetMessage(message, &field)
                   : reflection.GetRepeatedMessage(message, &field, index);
}

}  // namespace

const YamlNode& MessageNodes::Build(const Message& message) {
  used_ = 0;
  return MapOf(message);
}

YamlNode& MessageNodes::New(YamlNode::Type type) {
  if (used_ == nodes_.size()) nodes_.emplace_back();
  YamlNode& node = nodes_[used_++];
  node.type = type;
  node.is_plain = false;
  node.text.clear();
  node.children.clear();
  return node;
}

YamlNode& MessageNodes::NewScalar(std::string text, bool is_plain) {
  YamlNode& node = New(YamlNode::Type::kScalar);
  node.text = std::move(text);
  node.is_plain = is_plain;
  return node;
}

YamlNode& MessageNodes::MapOf(const Message& message) {
  YamlNode& map = New(YamlNode::Type::kMap);
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!Has(message, field)) continue;
    map.children.push_back(&NewScalar(field.name(), true));
    map.children.push_back(field.is_repeated() ? &ElementsOf(message, field)
                                               : &ValueOf(message, field, -1));
  }
  return map;
}

YamlNode& MessageNodes::TimeOf(const Message& message) {
  const auto& time = static_cast<const kubernetes::Time&>(message);
  // Go's zero time: JSON has null there.
  if (!time.has_seconds()) return NewScalar("", true);
  return NewScalar(
      absl::FormatTime(absl::RFC3339_full,
                       absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
                       absl::UTCTimeZone()),
      false);
}

YamlNode& MessageNodes::ElementsOf(const Message& message, const FieldDescriptor& field) {
  const bool is_map = field.type() == FieldDescriptor::TYPE_MESSAGE && IsEntries(field);
  YamlNode& elements = New(is_map ? YamlNode::Type::kMap : YamlNode::Type::kSequence);
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) {
    if (is_map) {
      const auto& entry = static_cast<const kubernetes::Entry&>(MemberOf(message, field, i));
      elements.children.push_back(&NewScalar(entry.key(), false));
      elements.children.push_back(&NewScalar(entry.value(), false));
    } else {
      elements.children.push_back(&ValueOf(message, field, i));
    }
  }
  return elements;
}

YamlNode& MessageNodes::ValueOf(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const Message& member = MemberOf(message, field, index);
      return member.GetDescriptor() == kubernetes::Time::descriptor() ? TimeOf(member)
                                                                      : MapOf(member);
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return NewScalar(TextOf(message, field, index), false);
    case FieldDescriptor::CPPTYPE_BOOL:
      return NewScalar(reflection.GetBool(message, &field) ? "true" : "false", true);
    case FieldDescriptor::CPPTYPE_INT32:
      return NewScalar(absl::StrCat(reflection.GetInt32(message, &field)), true);
    default:
      break;
  }
  return NewScalar("", true);  // kubernetes.proto has no others, but for those of Time
}

}  // namespace shunt
