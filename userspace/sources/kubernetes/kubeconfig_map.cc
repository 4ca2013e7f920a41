// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/kubeconfig_map.h"

#include <filesystem>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/status.h"
#include "userspace/sources/manifests/yaml_scalar.h"

namespace shunt {

const YamlNode* KubeconfigMap::Find(std::string_view key) const {
  const YamlNode* node = node_->Find(key);
  if (node == nullptr || node->type != YamlNode::Type::kScalar) return node;
  return std::holds_alternative<YamlNull>(ResolveScalar(*node)) ? nullptr : node;
}

bool KubeconfigMap::Has(std::string_view key) const { return Find(key) != nullptr; }

absl::StatusOr<std::string> KubeconfigMap::Text(std::string_view key) const {
  const YamlNode* node = Find(key);
  if (node == nullptr) return "";
  // A token of digits is a text as well, quotation marks or not.
  if (node->type == YamlNode::Type::kScalar) return node->text;
  return Error(key, "expected a text");
}

absl::StatusOr<std::string> KubeconfigMap::Required(std::string_view key) const {
  SHUNT_ASSIGN_OR_RETURN(std::string text, Text(key));
  if (text.empty()) return Error(key, "is missing, expected a text");
  return text;
}

absl::StatusOr<bool> KubeconfigMap::Bool(std::string_view key) const {
  const YamlNode* node = Find(key);
  if (node == nullptr) return false;
  if (node->type == YamlNode::Type::kScalar) {
    const YamlScalar scalar = ResolveScalar(*node);
    if (const auto* value = std::get_if<bool>(&scalar)) return *value;
  }
  return Error(key, "expected true or false");
}

absl::StatusOr<KubeconfigMap> KubeconfigMap::Map(std::string_view key) const {
  const YamlNode* node = Find(key);
  if (node == nullptr) return Error(key, "is missing, expected a map");
  if (node->type != YamlNode::Type::kMap) return Error(key, "expected a map");
  return KubeconfigMap(*node, *file_, absl::StrCat(path_, path_.empty() ? "" : ".", Absl(key)));
}

absl::StatusOr<std::vector<std::string>> KubeconfigMap::Texts(std::string_view key) const {
  std::vector<std::string> texts;
  const YamlNode* node = Find(key);
  if (node == nullptr) return texts;
  if (node->type != YamlNode::Type::kSequence) return Error(key, "expected a list of texts");
  for (const YamlNode* element : node->children) {
    if (element->type != YamlNode::Type::kScalar) return Error(key, "expected a list of texts");
    texts.push_back(element->text);
  }
  return texts;
}

absl::StatusOr<std::vector<KubeconfigMap>> KubeconfigMap::Maps(std::string_view key) const {
  std::vector<KubeconfigMap> maps;
  const YamlNode* node = Find(key);
  if (node == nullptr) return maps;
  if (node->type != YamlNode::Type::kSequence) return Error(key, "expected a list of maps");
  for (const YamlNode* element : node->children) {
    if (element->type != YamlNode::Type::kMap) return Error(key, "expected a list of maps");
    maps.emplace_back(
        *element, *file_,
        absl::StrCat(path_, path_.empty() ? "" : ".", Absl(key), "[", maps.size(), "]"));
  }
  return maps;
}

absl::StatusOr<KubeconfigMap::NamedTexts> KubeconfigMap::TextLists(std::string_view key) const {
  NamedTexts result;
  if (!Has(key)) return result;
  SHUNT_ASSIGN_OR_RETURN(const KubeconfigMap map, Map(key));
  for (size_t i = 0; i + 1 < map.node_->children.size(); i += 2) {
    const std::string& name = map.node_->children[i]->text;
    SHUNT_ASSIGN_OR_RETURN(std::vector<std::string> texts, map.Texts(name));
    result.emplace_back(name, std::move(texts));
  }
  return result;
}

absl::StatusOr<PemSource> KubeconfigMap::Pem(const std::string& key) const {
  PemSource source;
  const std::string data_key = key + "-data";
  SHUNT_ASSIGN_OR_RETURN(const std::string data, Text(data_key));
  if (!data.empty()) {
    if (!absl::Base64Unescape(data, &source.data)) return Error(data_key, "expected base64");
    return source;
  }
  SHUNT_ASSIGN_OR_RETURN(const std::string file, Text(key));
  if (!file.empty()) source.file = Resolve(file);
  return source;
}

std::string KubeconfigMap::Resolve(const std::string& path) const {
  return (std::filesystem::path(*file_).parent_path() / path).string();
}

absl::Status KubeconfigMap::Error(std::string_view key, std::string message) const {
  const YamlNode* node = node_->Find(key);
  return absl::InvalidArgumentError(
      absl::StrCat(*file_, ":", node == nullptr ? node_->line : node->line, ": ", path_,
                   path_.empty() ? "" : ".", Absl(key), ": ", message));
}

}  // namespace shunt
