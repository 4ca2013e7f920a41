// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/value.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/base/similar.h"
#include "userspace/sources/manifests/yaml_scalar.h"

namespace shunt {
namespace {

// Unknown keys of a map that are looked at, so that a million cost nothing.
constexpr size_t kMostUnknown = 32;

bool IsNull(const YamlNode& node) {
  return node.type == YamlNode::Type::kScalar && node.is_plain &&
         std::holds_alternative<YamlNull>(ResolveScalar(node));
}

// What was written, as a message calls it.
std::string Described(const YamlNode& node) {
  struct Describer {
    const std::string& text;
    std::string operator()(YamlNull) const { return "null"; }
    std::string operator()(bool) const {
      return absl::StrCat(text, " means true or false in YAML");
    }
    std::string operator()(int64_t) const { return absl::StrCat(text, " is a number"); }
    std::string operator()(double) const { return absl::StrCat(text, " is a number"); }
    std::string operator()(std::string_view) const {
      return absl::StrCat(Quoted(text), " is a text");
    }
  };
  if (node.type == YamlNode::Type::kSequence) return "this is a list";
  if (node.type == YamlNode::Type::kMap) return "this is a map";
  return std::visit(Describer{node.text}, ResolveScalar(node));
}

bool IsNumberInQuotes(const YamlNode& node) {
  if (node.type != YamlNode::Type::kScalar || node.is_plain) return false;
  YamlNode plain;
  plain.is_plain = true;
  plain.text = node.text;
  return std::holds_alternative<int64_t>(ResolveScalar(plain));
}

}  // namespace

Value::Value(const YamlNode* node, FieldPath path, ProblemReporter& report)
    : node_(node == nullptr || IsNull(*node) ? nullptr : node), path_(path), report_(&report) {}

Value Value::Get(std::string_view name) const& {
  const YamlNode* node = node_ == nullptr ? nullptr : node_->Find(name);
  // What is not there is reported where it should be: in its parent.
  const int line = node == nullptr ? path_.line() : node->line;
  return {node, path_.Member(name, line), *report_};
}

Value Value::List(std::string_view name) const& {
  return Get(name).Checked(YamlNode::Type::kSequence);
}

Value Value::Map(std::string_view name) const& { return Get(name).Checked(YamlNode::Type::kMap); }

bool Value::Has(std::string_view name) const {
  return node_ != nullptr && node_->Find(name) != nullptr;
}

void Value::ReportMisspelled(std::initializer_list<std::string_view> known) const {
  if (node_ == nullptr || node_->type != YamlNode::Type::kMap) return;
  size_t unknown = 0;
  for (size_t i = 0; i < node_->children.size() && unknown < kMostUnknown; i += 2) {
    const YamlNode& key = *node_->children[i];
    if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
    ++unknown;
    const std::string_view meant = MostSimilar(key.text, known);
    if (meant.empty()) continue;
    report_->Add(path_.Member(key.text, key.line),
                 absl::StrCat("is unknown and ignored; ", Absl(meant), " may be meant"));
  }
}

size_t Value::size() const {
  return node_ == nullptr || node_->type != YamlNode::Type::kSequence ? 0 : node_->children.size();
}

Value Value::At(size_t index) const& {
  const YamlNode* node = node_->children[index];
  return {node, path_.Element(index, node->line), *report_};
}

bool Value::ExpectMap() const {
  if (node_ != nullptr && node_->type == YamlNode::Type::kMap) return true;
  RejectType("a map");
  return false;
}

std::string_view Value::Text() const {
  if (node_ == nullptr) return "";
  if (node_->type == YamlNode::Type::kScalar) {
    const YamlScalar scalar = ResolveScalar(*node_);
    if (const auto* text = std::get_if<std::string_view>(&scalar)) return *text;
    RejectType("a text (write it in quotation marks)");
  } else {
    RejectType("a text");
  }
  return "";
}

std::optional<int64_t> Value::Integer() const {
  if (node_ == nullptr) return std::nullopt;
  if (node_->type == YamlNode::Type::kScalar) {
    const YamlScalar scalar = ResolveScalar(*node_);
    if (const auto* integer = std::get_if<int64_t>(&scalar)) return *integer;
    // 80.0 is 80, as in JSON. Up to 2^53 a double holds every integer.
    const auto* number = std::get_if<double>(&scalar);
    if (number != nullptr && std::abs(*number) < 0x1p53 && std::trunc(*number) == *number) {
      return static_cast<int64_t>(*number);
    }
  }
  RejectType(IsNumberInQuotes(*node_) ? "a number (write it without quotation marks)"
                                      : "a whole number");
  return std::nullopt;
}

std::optional<bool> Value::Bool() const {
  if (node_ == nullptr) return std::nullopt;
  if (node_->type == YamlNode::Type::kScalar) {
    const YamlScalar scalar = ResolveScalar(*node_);
    if (const auto* value = std::get_if<bool>(&scalar)) return *value;
  }
  RejectType("true or false");
  return std::nullopt;
}

Value Value::Checked(YamlNode::Type type) const {
  if (node_ == nullptr || node_->type == type) return *this;
  RejectType(type == YamlNode::Type::kMap ? "a map" : "a list");
  return {nullptr, path_, *report_};
}

void Value::RejectType(std::string_view expected) const {
  report_->Reject(path_, absl::StrCat(node_ == nullptr ? "this is empty" : Described(*node_), ", ",
                                      Absl(expected), " is expected"));
}

}  // namespace shunt
