// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_KUBERNETES_WIRE_H_
#define SHUNT_TESTS_UNIT_KUBERNETES_WIRE_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "userspace/sources/kubernetes/proto/kubernetes.pb.h"
#include "userspace/sources/manifests/yaml_node.h"

namespace shunt {

// What an API server would send, made from what people read.

// Fills a message of kubernetes.proto with an object in JSON. What the message
// does not have is left out, as an API server's own fields are.
inline void FillMessage(const YamlNode& node, google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  const auto& reflection = *message.GetReflection();
  for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(node.children[i]->text);
    const YamlNode& value = *node.children[i + 1];
    if (field == nullptr) continue;
    const auto add = [&](const YamlNode& element) {
      int64_t number = 0;
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          field->is_repeated() ? reflection.AddString(&message, field, element.text)
                               : reflection.SetString(&message, field, element.text);
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          reflection.SetBool(&message, field, element.text == "true");
          break;
        case FieldDescriptor::CPPTYPE_INT32:
          static_cast<void>(absl::SimpleAtoi(element.text, &number));
          reflection.SetInt32(&message, field, static_cast<int32_t>(number));
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          FillMessage(element, field->is_repeated() ? *reflection.AddMessage(&message, field)
                                                    : *reflection.MutableMessage(&message, field));
          break;
        default:
          break;
      }
    };
    if (field->message_type() == kubernetes::Time::descriptor()) {
      absl::Time time;
      std::string error;
      absl::ParseTime(absl::RFC3339_full, value.text, &time, &error);
      auto& member = static_cast<kubernetes::Time&>(*reflection.MutableMessage(&message, field));
      member.set_seconds(absl::ToUnixSeconds(time));
    } else if (field->message_type() == kubernetes::Entry::descriptor()) {
      for (size_t j = 0; j + 1 < value.children.size(); j += 2) {
        auto& entry = static_cast<kubernetes::Entry&>(*reflection.AddMessage(&message, field));
        entry.set_key(value.children[j]->text);
        entry.set_value(value.children[j + 1]->text);
      }
    } else if (field->is_repeated()) {
      for (const YamlNode* element : value.children) add(*element);
    } else {
      add(value);
    }
  }
}

inline std::string Enveloped(std::string_view api_version, std::string_view kind,
                             const std::string& message) {
  kubernetes::Unknown unknown;
  unknown.mutable_typemeta()->set_apiversion(std::string(api_version));
  unknown.mutable_typemeta()->set_kind(std::string(kind));
  unknown.set_raw(message);
  return std::string("k8s\0", 4) + unknown.SerializeAsString();
}

// A frame's content: a WatchEvent with an enveloped object.
inline std::string EventOf(std::string_view type, const std::string& enveloped) {
  kubernetes::WatchEvent event;
  event.set_type(std::string(type));
  event.mutable_object()->set_raw(enveloped);
  return event.SerializeAsString();
}

inline std::string Framed(const std::string& content) {
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame.push_back(static_cast<char>(content.size() >> shift & 0xff));
  }
  return frame + content;
}

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_KUBERNETES_WIRE_H_
