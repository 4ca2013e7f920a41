// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "userspace/base/absl_view.h"
#include "userspace/config/proxy_config.h"

namespace shunt {
namespace {

using Json = nlohmann::ordered_json;

Json PairsJson(const ConfigField& field, const std::vector<std::string>& pairs) {
  Json json = field.type == ConfigType::kGates ? Json::object() : Json::array();
  for (const std::string& pair : pairs) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    int64_t level = 0;
    (void)absl::SimpleAtoi(parts.second, &level);
    if (field.type == ConfigType::kGates) {
      json[parts.first] = parts.second == "true";
    } else {
      json.push_back({{"filePattern", parts.first}, {"verbosity", level}});
    }
  }
  return json;
}

Json ValueJson(const ConfigField& field, const ConfigValue& value) {
  int64_t integer = 0;
  double number = 0;
  switch (field.type) {
    case ConfigType::kBool:
      return value.text == "true";
    case ConfigType::kInteger:
      (void)absl::SimpleAtoi(value.text, &integer);
      return integer;
    case ConfigType::kNumber:
      (void)absl::SimpleAtod(value.text, &number);
      return number;
    case ConfigType::kList:
      return value.list;
    case ConfigType::kGates:
    case ConfigType::kVModule:
      return PairsJson(field, value.list);
    case ConfigType::kText:
    case ConfigType::kDuration:
    case ConfigType::kNanoseconds:
    case ConfigType::kQuantity:
      return value.text;
  }
  return nullptr;
}

Json ToJsonObject(const ProxyConfig& config, const ConfigKind& kind) {
  Json json = {{"apiVersion", kind.api_version}, {"kind", kind.kind}};
  for (const ConfigField& field : kind.fields) {
    const std::string pointer =
        absl::StrCat("/", absl::StrReplaceAll(Absl(field.path), {{".", "/"}}));
    json[Json::json_pointer(pointer)] = ValueJson(field, config.At(field.path));
  }
  return json;
}

// Maps one key a line. What is no map is JSON on one line, which is YAML, too.
void AppendYaml(const Json& map, int indent, std::string& yaml) {
  for (const auto& [key, value] : map.items()) {
    absl::StrAppend(&yaml, std::string(indent, ' '), key, ":");
    if (value.is_object() && !value.empty()) {
      yaml += '\n';
      AppendYaml(value, indent + 2, yaml);
    } else {
      absl::StrAppend(&yaml, " ", value.dump(-1, ' ', false, Json::error_handler_t::replace), "\n");
    }
  }
}

}  // namespace

std::string ProxyConfig::ToJson(const ConfigKind& kind, int indent) const {
  return ToJsonObject(*this, kind).dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string ProxyConfig::ToYaml() const {
  std::string yaml;
  AppendYaml(ToJsonObject(*this, KubeProxyKind()), 0, yaml);
  yaml += "---\n";
  AppendYaml(ToJsonObject(*this, ShuntKind()), 0, yaml);
  return yaml;
}

}  // namespace shunt
