// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace shunt {
namespace {

// What a first byte announces: the length of the sequence, and the range of the
// second byte, which alone keeps overlong forms, surrogates and values past
// U+10FFFF out (Unicode 15, table 3-7).
struct Sequence {
  size_t length = 0;  // 0: no sequence begins so
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xbf;
};

Sequence SequenceOf(uint8_t first) {
  if (first < 0x80) return {.length = 1};
  if (first < 0xc2) return {};
  if (first < 0xe0) return {.length = 2};
  if (first == 0xe0) return {.length = 3, .second_min = 0xa0};
  if (first == 0xed) return {.length = 3, .second_max = 0x9f};
  if (first < 0xf0) return {.length = 3};
  if (first == 0xf0) return {.length = 4, .second_min = 0x90};
  if (first < 0xf4) return {.length = 4};
  if (first == 0xf4) return {.length = 4, .second_max = 0x8f};
  return {};
}

bool IsControl(uint8_t byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

bool IsContinuation(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) == 0x80; }

// Bytes of the character at `i`, 0 where there is none.
size_t CharacterAt(std::string_view bytes, size_t i) {
  const Sequence sequence = SequenceOf(static_cast<uint8_t>(bytes[i]));
  if (sequence.length == 0 || sequence.length > bytes.size() - i) return 0;
  if (sequence.length == 1) return IsControl(static_cast<uint8_t>(bytes[i])) ? 0 : 1;
  const uint8_t second = static_cast<uint8_t>(bytes[i + 1]);
  if (second < sequence.second_min || second > sequence.second_max) return 0;
  const std::string_view rest = bytes.substr(i + 2, sequence.length - 2);
  return std::all_of(rest.begin(), rest.end(), IsContinuation) ? sequence.length : 0;
}

}  // namespace

std::optional<size_t> FindNonText(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const size_t length = CharacterAt(bytes, i);
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

}  // namespace shunt
