// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/yaml_node.h"

namespace shunt {
namespace {

bool IsKey(const YamlNode& node, std::string_view key) {
  return node.type == YamlNode::Type::kScalar && node.text == key;
}

const YamlNode* FindOwn(const YamlNode& map, std::string_view key) {
  for (size_t i = map.children.size(); i >= 2; i -= 2) {
    if (IsKey(*map.children[i - 2], key)) return map.children[i - 1];
  }
  return nullptr;
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  if (type != Type::kMap) return nullptr;
  if (const YamlNode* own = FindOwn(*this, key)) return own;
  const YamlNode* merged = FindOwn(*this, "<<");
  if (merged == nullptr) return nullptr;
  if (merged->type != Type::kSequence) return merged->Find(key);
  for (const YamlNode* map : merged->children) {
    if (const YamlNode* value = map->Find(key)) return value;
  }
  return nullptr;
}

}  // namespace shunt
