// SPDX-License-Identifier: Apache-2.0
#include "userspace/config/load.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/base/similar.h"
#include "userspace/sources/manifests/yaml_reader.h"
#include "userspace/sources/manifests/yaml_scalar.h"

namespace shunt {
namespace {

std::string Join(std::string_view section, std::string_view key) {
  return section.empty() ? std::string(key) : absl::StrCat(Absl(section), ".", Absl(key));
}

// "" for null.
std::optional<std::string> BoolText(const YamlNode& node) {
  const YamlScalar scalar = ResolveScalar(node);
  const bool* value = std::get_if<bool>(&scalar);
  if (value == nullptr) return std::nullopt;
  return *value ? "true" : "false";
}

std::optional<std::string> PlainText(const YamlNode& node) {
  const YamlScalar scalar = ResolveScalar(node);
  const auto* value = std::get_if<std::string_view>(&scalar);
  if (value == nullptr) return std::nullopt;
  return std::string(*value);
}

std::optional<std::string> IntegerText(const YamlNode& node) {
  const YamlScalar scalar = ResolveScalar(node);
  const auto* value = std::get_if<int64_t>(&scalar);
  if (value == nullptr) return std::nullopt;
  return absl::StrCat(*value);
}

std::optional<std::string> NumberText(const YamlNode& node) {
  const YamlScalar scalar = ResolveScalar(node);
  if (const auto* value = std::get_if<double>(&scalar)) return absl::StrCat(*value);
  return IntegerText(node);
}

std::optional<std::string> DurationText(const YamlNode& node) {
  absl::Duration duration;
  std::optional<std::string> text = PlainText(node);
  return text && ParseGoDuration(*text, duration) ? text : std::nullopt;
}

std::optional<std::string> NanosecondsText(const YamlNode& node) {
  const YamlScalar scalar = ResolveScalar(node);
  const auto* value = std::get_if<int64_t>(&scalar);
  return value == nullptr ? DurationText(node) : absl::FormatDuration(absl::Nanoseconds(*value));
}

std::optional<std::string> QuantityText(const YamlNode& node) {
  std::optional<std::string> text = PlainText(node);
  return text ? text : NumberText(node);
}

// How a scalar of a type is read, and what it is called.
struct ScalarReader {
  std::optional<std::string> (*read)(const YamlNode&);
  const char* expected;
};

std::optional<ScalarReader> ReaderOf(ConfigType type) {
  switch (type) {
    case ConfigType::kBool:
      return ScalarReader{BoolText, "true or false"};
    case ConfigType::kInteger:
      return ScalarReader{IntegerText, "a whole number"};
    case ConfigType::kNumber:
      return ScalarReader{NumberText, "a number"};
    case ConfigType::kText:
      return ScalarReader{PlainText, "a text (a number needs quotation marks)"};
    case ConfigType::kDuration:
      return ScalarReader{DurationText, "a duration, such as 30s or 1h30m"};
    case ConfigType::kNanoseconds:
      return ScalarReader{NanosecondsText, "a duration, such as 5s"};
    case ConfigType::kQuantity:
      return ScalarReader{QuantityText, "a quantity, such as 64Ki"};
    case ConfigType::kList:
    case ConfigType::kGates:
    case ConfigType::kVModule:
      return std::nullopt;
  }
  return std::nullopt;
}

bool IsNull(const YamlNode& node) {
  return node.type == YamlNode::Type::kScalar &&
         std::holds_alternative<YamlNull>(ResolveScalar(node));
}

// Which kind a document wants to be: kube-proxy's, unless it says that it is ours.
const ConfigKind& KindOf(const YamlNode& root) {
  const YamlNode* kind = root.Find("kind");
  return kind != nullptr && kind->text == ShuntKind().kind ? ShuntKind() : KubeProxyKind();
}

// Walks the maps of a document.
class Loader {
 public:
  // `seen`: the kinds that have been read.
  Loader(const std::string& file, LoadedConfig& result, std::vector<const ConfigKind*>& seen)
      : file_(file), result_(result), seen_(seen) {}

  void ReadDocument(const YamlNode& root) {
    if (root.type != YamlNode::Type::kMap) return Error(root, "", "expected a map of fields");
    kind_ = &KindOf(root);
    if (std::find(seen_.begin(), seen_.end(), kind_) != seen_.end()) {
      return Error(root, "", absl::StrCat("a second ", Absl(kind_->kind), "; expected one"));
    }
    seen_.push_back(kind_);
    if (kind_ == &KubeProxyKind()) result_.kube_proxy_file = file_;
    const size_t errors = result_.errors.size();
    CheckIs(root, "apiVersion", kind_->api_version);
    CheckIs(root, "kind", kind_->kind);
    if (result_.errors.size() == errors) ReadMap(root, "");
  }

  void Error(const YamlNode& node, std::string_view field, const std::string& message) {
    result_.errors.push_back(MakeProblem(node, field, message));
  }

 private:
  Problem MakeProblem(const YamlNode& node, std::string_view field, const std::string& message) {
    return {.origin = absl::StrCat(file_, ":", node.line),
            .field = std::string(field),
            .message = message};
  }
  void Warn(const YamlNode& node, std::string_view field, const std::string& message) {
    result_.warnings.push_back(MakeProblem(node, field, message));
  }

  void CheckIs(const YamlNode& root, const char* key, std::string_view expected) {
    const YamlNode* node = root.Find(key);
    if (node != nullptr && node->text == expected) return;
    Error(node == nullptr ? root : *node, key,
          node == nullptr ? absl::StrCat("is missing, expected ", Absl(expected))
                          : absl::StrCat("is ", Quoted(node->text), ", expected ", Absl(expected)));
  }

  void ReadMap(const YamlNode& map, const std::string& section) {
    std::vector<std::string_view> seen;
    for (size_t i = 0; i + 1 < map.children.size(); i += 2) {
      const YamlNode& key = *map.children[i];
      const std::string path = Join(section, key.text);
      if (std::find(seen.begin(), seen.end(), key.text) != seen.end()) {
        Warn(key, path, "stands there twice; the last one counts");
      }
      seen.push_back(key.text);
      ReadMember(key, *map.children[i + 1], path);
    }
  }

  void ReadMember(const YamlNode& key, const YamlNode& value, const std::string& path) {
    if (path == "apiVersion" || path == "kind") return;
    if (const ConfigField* field = FindConfigField(*kind_, path)) {
      if (!IsNull(value)) ReadField(*field, value);
    } else if (!IsConfigSection(*kind_, path)) {
      Warn(key, path, absl::StrCat("is unknown and ignored", Suggestion(path)));
    } else if (value.type == YamlNode::Type::kMap) {
      ReadMap(value, path);
    } else if (!IsNull(value)) {
      Error(value, path, "expected a map of fields");
    }
  }

  std::string Suggestion(std::string_view path) const {
    std::vector<std::string_view> known;
    for (const ConfigField& field : kind_->fields) known.push_back(field.path);
    const std::string_view similar = MostSimilar(path, known);
    return similar.empty() ? "" : absl::StrCat("; did you mean ", Absl(similar), "?");
  }

  void ReadField(const ConfigField& field, const YamlNode& node) {
    ConfigValue value = {.origin = absl::StrCat(file_, ":", node.line)};
    if (const std::optional<ScalarReader> reader = ReaderOf(field.type)) {
      const bool is_scalar = node.type == YamlNode::Type::kScalar;
      std::optional<std::string> text = is_scalar ? reader->read(node) : std::nullopt;
      if (!text) return Reject(node, field, reader->expected);
      value.text = *std::move(text);
    } else if (field.type == ConfigType::kGates) {
      if (!ReadGates(field, node, value)) return;
    } else if (!ReadElements(field, node, value)) {
      return;
    }
    result_.config.Set(field, std::move(value));
  }

  void Reject(const YamlNode& node, const ConfigField& field, const char* expected) {
    const std::string found = node.type == YamlNode::Type::kScalar ? Quoted(node.text)
                              : node.type == YamlNode::Type::kMap  ? "a map"
                                                                   : "a list";
    Error(node, field.path, absl::StrCat(found, " is not ", expected));
  }

  bool ReadGates(const ConfigField& field, const YamlNode& node, ConfigValue& value) {
    if (node.type != YamlNode::Type::kMap) {
      Reject(node, field, "a map of names to true or false");
      return false;
    }
    for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
      const YamlNode& gate = *node.children[i + 1];
      const auto text =
          gate.type == YamlNode::Type::kScalar ? BoolText(gate) : std::optional<std::string>();
      if (!text) {
        Reject(gate, field, "true or false");
        return false;
      }
      value.list.push_back(absl::StrCat(node.children[i]->text, "=", *text));
    }
    return true;
  }

  bool ReadElements(const ConfigField& field, const YamlNode& node, ConfigValue& value) {
    if (node.type != YamlNode::Type::kSequence) {
      Reject(node, field, "a list");
      return false;
    }
    for (const YamlNode* element : node.children) {
      const std::optional<std::string> text =
          field.type == ConfigType::kVModule ? VModuleText(*element) : ElementText(*element);
      if (!text) {
        Reject(*element, field, "an element of this list");
        return false;
      }
      value.list.push_back(*text);
    }
    return true;
  }

  static std::optional<std::string> ElementText(const YamlNode& node) {
    return node.type == YamlNode::Type::kScalar ? PlainText(node) : std::nullopt;
  }

  static std::optional<std::string> VModuleText(const YamlNode& node) {
    const YamlNode* pattern = node.Find("filePattern");
    const YamlNode* verbosity = node.Find("verbosity");
    if (pattern == nullptr || verbosity == nullptr) return std::nullopt;
    const std::optional<std::string> level = IntegerText(*verbosity);
    if (!level) return std::nullopt;
    return absl::StrCat(pattern->text, "=", *level);
  }

  const std::string& file_;
  LoadedConfig& result_;
  std::vector<const ConfigKind*>& seen_;
  const ConfigKind* kind_ = nullptr;
};

// The documents of a file. False: it has none.
bool ReadFile(std::string_view text, Loader& loader) {
  YamlReader reader(text);
  bool found = false;
  for (;;) {
    const absl::StatusOr<YamlReader::Step> step = reader.Next();
    YamlNode here;
    here.line = reader.line();
    if (!step.ok()) {
      loader.Error(here, "", std::string(step.status().message()));
      return true;
    }
    if (*step == YamlReader::Step::kEnd) return found;
    if (*step != YamlReader::Step::kDocument || reader.root() == nullptr) continue;
    loader.ReadDocument(*reader.root());
    found = true;
  }
}

}  // namespace

LoadedConfig LoadProxyConfig(const std::vector<ConfigText>& files) {
  LoadedConfig result;
  std::vector<const ConfigKind*> seen;
  for (const ConfigText& file : files) {
    Loader loader(file.file, result, seen);
    if (ReadFile(file.text, loader)) continue;
    YamlNode top;
    top.line = 1;
    loader.Error(top, "",
                 absl::StrCat("the file is empty, expected a ", Absl(KubeProxyKind().kind), " or ",
                              Absl(ShuntKind().kind)));
  }
  return result;
}

void CompleteConfig(LoadedConfig& loaded) {
  loaded.config.CompleteDefaults();
  if (!loaded.errors.empty()) return;
  const std::string& file = loaded.kube_proxy_file;
  loaded.errors = ValidateProxyConfig(file.empty() ? "command line" : file, loaded.config);
}

std::string FieldsWithoutMeaning(const ProxyConfig& config) {
  std::vector<std::string> none;
  for (const ConfigField& field : ConfigFields()) {
    const ConfigValue& value = config.At(field.path);
    if (field.use == ConfigUse::kUsed || !value.is_set) continue;
    if (value.text == field.default_text && value.list.empty()) continue;
    none.emplace_back(field.path);
  }
  if (none.empty()) return "";
  return absl::StrCat("set, and without meaning to Shunt: ", absl::StrJoin(none, ", "));
}

}  // namespace shunt
