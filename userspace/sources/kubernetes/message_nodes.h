// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_MESSAGE_NODES_H_
#define SHUNT_SOURCES_KUBERNETES_MESSAGE_NODES_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <deque>
#include <string>

#include "userspace/sources/manifests/yaml_node.h"

namespace shunt {

// Makes of a message of kubernetes.proto what a parser would have made of the
// same object in JSON, so that one decoder says what an object means, whichever
// way it came. Belongs to one thread.
class MessageNodes {
 public:
  // Valid until the next Build(), which uses the memory of this one again.
  const YamlNode& Build(const google::protobuf::Message& message);

 private:
  YamlNode& New(YamlNode::Type type);
  YamlNode& NewScalar(std::string text, bool is_plain);
  YamlNode& MapOf(const google::protobuf::Message& message);
  YamlNode& TimeOf(const google::protobuf::Message& message);
  YamlNode& ElementsOf(const google::protobuf::Message& message,
                       const google::protobuf::FieldDescriptor& field);
  // `index` of a repeated field, else -1.
  YamlNode& ValueOf(const google::protobuf::Message& message,
                    const google::protobuf::FieldDescriptor& field, int index);

  std::deque<YamlNode> nodes_;  // a deque, so that their addresses stay
  size_t used_ = 0;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_MESSAGE_NODES_H_
