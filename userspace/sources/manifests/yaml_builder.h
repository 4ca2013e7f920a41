// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_YAML_BUILDER_H_
#define SHUNT_SOURCES_MANIFESTS_YAML_BUILDER_H_

#include <yaml.h>

#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "userspace/sources/manifests/yaml_node.h"

namespace shunt {

// Builds the nodes of one document from libyaml's events, and refuses what would
// cost more memory, stack or time than a manifest can be worth: aliases that
// lead back to themselves or multiply, deep nesting, millions of values.
//
// A `kind: List` may hold the whole cluster. So that it never stands in memory
// at once, the elements of the root's "items" are offered one by one, and are
// gone before the next begins unless they are kept.
class YamlBuilder {
 public:
  YamlBuilder() = default;
  YamlBuilder(const YamlBuilder&) = delete;
  YamlBuilder& operator=(const YamlBuilder&) = delete;

  // For every event between the start and the end of a document. An item that
  // the event before this one completed is dropped.
  absl::Status Add(const yaml_event_t& event);

  // What has been read of the document's root; null before it begins. Its
  // "items" hold only those that were kept.
  const YamlNode* root() const { return root_; }
  // An element of the root's "items", if the last event completed one.
  const YamlNode* completed_item() const { return item_; }
  // Keeps that element among the children of "items".
  void KeepItem();

 private:
  absl::Status AddAlias(const yaml_event_t& event);
  absl::Status AddScalar(const yaml_event_t& event);
  absl::Status Open(YamlNode::Type type, const yaml_event_t& event, const yaml_char_t* anchor);
  void Close();
  absl::StatusOr<YamlNode*> NewNode(const yaml_event_t& event, const yaml_char_t* anchor);
  absl::Status CheckDepth(const YamlNode& node) const;
  // `node` is complete: it becomes a part of what is open.
  void Attach(const YamlNode* node);
  bool BeginsItems() const;
  void DropItem();

  std::deque<YamlNode> nodes_;   // a deque, so that their addresses stay
  std::vector<YamlNode*> open_;  // from the root down to where we are
  absl::flat_hash_map<std::string, const YamlNode*> anchors_;
  size_t aliased_ = 0;  // values that aliases stand for
  const YamlNode* root_ = nullptr;
  YamlNode* items_ = nullptr;  // the root's "items"
  const YamlNode* item_ = nullptr;
  size_t kept_nodes_ = 0;  // of nodes_: those before the current item
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_YAML_BUILDER_H_
