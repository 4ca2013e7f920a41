// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/quote.h"

#include "absl/strings/str_cat.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

constexpr size_t kLongestQuote = 64;

bool IsWithinCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

std::string Quoted(std::string_view text) {
  if (text.size() <= kLongestQuote) return absl::StrCat("\"", ForTerminal(text), "\"");
  size_t end = kLongestQuote;
  while (end > 0 && IsWithinCharacter(text[end])) --end;
  return absl::StrCat("\"", ForTerminal(text.substr(0, end)), "...\"");
}

}  // namespace shunt
