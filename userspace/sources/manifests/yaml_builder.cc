// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/yaml_builder.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

// Kubernetes' own objects are at most a dozen levels deep.
constexpr size_t kMostLevels = 64;
// etcd refuses objects over 1.5 MB; ten thousand endpoints are 200,000 values.
constexpr size_t kMostValues = 1'000'000;
// People use aliases to say something twice, not a million times.
constexpr size_t kMostAliasedValues = 100'000;

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

// Without quotation marks and without a tag that says that it is text.
bool IsPlain(const yaml_event_t& event) {
  const std::string_view tag = View(event.data.scalar.tag);
  if (tag == YAML_STR_TAG || tag == "!") return false;
  return event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE || !tag.empty();
}

}  // namespace

absl::Status YamlBuilder::Add(const yaml_event_t& event) {
  DropItem();
  switch (event.type) {
    case YAML_ALIAS_EVENT:
      return AddAlias(event);
    case YAML_SCALAR_EVENT:
      return AddScalar(event);
    case YAML_SEQUENCE_START_EVENT:
      return Open(YamlNode::Type::kSequence, event, event.data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
      return Open(YamlNode::Type::kMap, event, event.data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      Close();
      return absl::OkStatus();
    default:
      return absl::OkStatus();  // an event that carries no value
  }
}

absl::Status YamlBuilder::AddAlias(const yaml_event_t& event) {
  const std::string name(View(event.data.alias.anchor));
  const auto anchor = anchors_.find(name);
  if (anchor == anchors_.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no anchor ", Quoted(name), " above this alias"));
  }
  const YamlNode* node = anchor->second;
  if (std::find(open_.begin(), open_.end(), node) != open_.end()) {
    return absl::InvalidArgumentError(absl::StrCat("alias ", Quoted(name), " contains itself"));
  }
  aliased_ += node->expanded_size;
  if (aliased_ > kMostAliasedValues) {
    return absl::InvalidArgumentError(
        absl::StrCat("aliases stand for more than ", kMostAliasedValues, " values"));
  }
  SHUNT_RETURN_IF_ERROR(CheckDepth(*node));
  Attach(node);
  return absl::OkStatus();
}

absl::Status YamlBuilder::AddScalar(const yaml_event_t& event) {
  SHUNT_ASSIGN_OR_RETURN(YamlNode * node, NewNode(event, event.data.scalar.anchor));
  node->is_plain = IsPlain(event);
  // By length: a text may hold a NUL ("\0").
  node->text.assign(reinterpret_cast<const char*>(event.data.scalar.value),
                    event.data.scalar.length);
  SHUNT_RETURN_IF_ERROR(CheckDepth(*node));
  Attach(node);
  return absl::OkStatus();
}

absl::Status YamlBuilder::Open(YamlNode::Type type, const yaml_event_t& event,
                               const yaml_char_t* anchor) {
  const bool begins_items = type == YamlNode::Type::kSequence && BeginsItems();
  SHUNT_ASSIGN_OR_RETURN(YamlNode * node, NewNode(event, anchor));
  node->type = type;
  SHUNT_RETURN_IF_ERROR(CheckDepth(*node));
  if (root_ == nullptr) root_ = node;
  if (begins_items) {
    items_ = node;
    kept_nodes_ = nodes_.size();
  }
  open_.push_back(node);
  return absl::OkStatus();
}

void YamlBuilder::Close() {
  const YamlNode* node = open_.back();
  open_.pop_back();
  if (!open_.empty()) Attach(node);
}

absl::StatusOr<YamlNode*> YamlBuilder::NewNode(const yaml_event_t& event,
                                               const yaml_char_t* anchor) {
  if (nodes_.size() == kMostValues) {
    return absl::InvalidArgumentError(
        absl::StrCat("an object of more than ", kMostValues, " values"));
  }
  YamlNode& node = nodes_.emplace_back();
  node.line = static_cast<int>(event.start_mark.line) + 1;
  if (anchor != nullptr) anchors_[std::string(View(anchor))] = &node;
  return &node;
}

absl::Status YamlBuilder::CheckDepth(const YamlNode& node) const {
  if (open_.size() + node.height <= kMostLevels) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("nested more than ", kMostLevels, " levels deep"));
}

void YamlBuilder::Attach(const YamlNode* node) {
  if (open_.empty()) {
    root_ = node;  // a document that is a single value
    return;
  }
  if (open_.back() == items_) {
    item_ = node;
    return;
  }
  YamlNode& parent = *open_.back();
  parent.children.push_back(node);
  parent.expanded_size += node->expanded_size;
  parent.height = std::max(parent.height, node->height + 1);
}

bool YamlBuilder::BeginsItems() const {
  if (items_ != nullptr || open_.size() != 1 || open_[0]->type != YamlNode::Type::kMap)
    return false;
  const std::vector<const YamlNode*>& children = open_[0]->children;
  return children.size() % 2 == 1 && children.back()->text == "items";
}

void YamlBuilder::KeepItem() {
  items_->children.push_back(item_);
  item_ = nullptr;
  kept_nodes_ = nodes_.size();
}

void YamlBuilder::DropItem() {
  if (item_ == nullptr) return;
  item_ = nullptr;
  // An alias further down may mean a part of it.
  if (!anchors_.empty()) return;
  while (nodes_.size() > kept_nodes_) nodes_.pop_back();
}

}  // namespace shunt
