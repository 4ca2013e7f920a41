// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

// Plain, these would be read as something else (YAML 1.1 and 1.2).
bool IsReservedWord(const std::string& text) {
  static constexpr std::array<const char*, 9> kWords = {"true", "false", "null", "yes", "no",
                                                        "on",   "off",   "y",    "n"};
  const std::string lower = absl::AsciiStrToLower(text);
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool IsPlain(const std::string& text) {
  if (text.empty() || !absl::ascii_isalpha(text.front()) || IsReservedWord(text)) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

void EmitString(const std::string& text, YAML::Emitter& emitter) {
  if (IsPlain(text)) {
    emitter << text;
  } else {
    emitter << YAML::DoubleQuoted << YAML::EscapeNonAscii << ToUtf8(text);
  }
}

void EmitObject(const Json& object, YAML::Emitter& emitter) {
  emitter << YAML::BeginMap;
  for (const auto& [key, value] : object.items()) {
    emitter << YAML::Key << key << YAML::Value;
    EmitYaml(value, emitter);
  }
  emitter << YAML::EndMap;
}

void EmitArray(const Json& array, YAML::Emitter& emitter) {
  if (array.empty()) {
    emitter << YAML::Flow << YAML::BeginSeq << YAML::EndSeq;
    return;
  }
  emitter << YAML::BeginSeq;
  for (const Json& element : array) EmitYaml(element, emitter);
  emitter << YAML::EndSeq;
}

}  // namespace

void EmitYaml(const Json& value, YAML::Emitter& emitter) {
  if (value.is_object()) {
    EmitObject(value, emitter);
  } else if (value.is_array()) {
    EmitArray(value, emitter);
  } else if (value.is_string()) {
    EmitString(value.get_ref<const std::string&>(), emitter);
  } else if (value.is_null()) {
    emitter << YAML::LowerNull << YAML::Null;
  } else {
    emitter << value.dump();  // a number, true, false: the same in both
  }
}

}  // namespace shunt
