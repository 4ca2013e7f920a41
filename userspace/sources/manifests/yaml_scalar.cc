// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace shunt {
namespace {

using namespace std::string_view_literals;

constexpr std::array kNull = {""sv, "~"sv, "null"sv, "Null"sv, "NULL"sv};
constexpr std::array kTrue = {"true"sv, "True"sv, "TRUE"sv, "yes"sv, "Yes"sv, "YES"sv,
                              "on"sv,   "On"sv,   "ON"sv,   "y"sv,   "Y"sv};
constexpr std::array kFalse = {"false"sv, "False"sv, "FALSE"sv, "no"sv, "No"sv, "NO"sv,
                               "off"sv,   "Off"sv,   "OFF"sv,   "n"sv,  "N"sv};
// No number of a manifest is longer; a long text is not looked at.
constexpr size_t kLongestNumber = 64;

template <size_t n>
bool IsOneOf(const std::array<std::string_view, n>& words, std::string_view text) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// As Go's strconv.ParseInt(text, 0, 64): 0x, 0o, 0b, and a leading 0 for octal.
std::optional<int64_t> ParseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char letter = absl::ascii_tolower(text[1]);
    base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    text.remove_prefix(letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1);
  }
  // strtoll takes signs and blanks of its own.
  if (text.empty() || !absl::ascii_isxdigit(text[0])) return std::nullopt;
  const std::string digits = (negative ? "-" : "") + std::string(text);
  char* end = nullptr;
  errno = 0;
  const int64_t value = std::strtoll(digits.c_str(), &end, base);
  if (errno != 0 || *end != '\0') return std::nullopt;
  return value;
}

std::optional<double> ParseFloat(const std::string& text) {
  // "1e3" and ".5" are numbers; "inf" and "nan", which SimpleAtod takes, are not.
  double value = 0;
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos ||
      !absl::SimpleAtod(text, &value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<YamlScalar> ParseNumber(std::string text) {
  if (text.size() > kLongestNumber || text.find_first_of("0123456789") > 3) return std::nullopt;
  std::erase(text, '_');  // 1_000
  if (const std::optional<int64_t> integer = ParseInteger(text)) return *integer;
  if (const std::optional<double> number = ParseFloat(text)) return *number;
  return std::nullopt;
}

}  // namespace

YamlScalar ResolveScalar(const YamlNode& node) {
  const std::string_view text = node.text;
  if (!node.is_plain) return text;
  if (IsOneOf(kNull, text)) return YamlNull{};
  if (IsOneOf(kTrue, text)) return true;
  if (IsOneOf(kFalse, text)) return false;
  return ParseNumber(node.text).value_or(text);
}

}  // namespace shunt
