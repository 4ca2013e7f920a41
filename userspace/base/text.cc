// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/text.h"

#include <locale.h>
#include <wchar.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace shunt {
namespace {

// The C library knows UTF-8 and the width of characters, but only in a locale.
// glibc has C.UTF-8 built in; the process' own locale is left alone.
class ScopedUtf8Locale {
 public:
  ScopedUtf8Locale() : previous_(uselocale(Utf8())) {}
  ~ScopedUtf8Locale() { uselocale(previous_); }
  ScopedUtf8Locale(const ScopedUtf8Locale&) = delete;
  ScopedUtf8Locale& operator=(const ScopedUtf8Locale&) = delete;

 private:
  static locale_t Utf8() {
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;  // 0, where there is none, leaves the locale as it is
  }

  const locale_t previous_;
};

struct Character {
  wchar_t code = 0;
  size_t length = 1;
  bool valid = false;
};

Character Decode(std::string_view bytes) {
  Character character;
  mbstate_t state{};
  const size_t length = mbrtowc(&character.code, bytes.data(), bytes.size(), &state);
  if (length <= bytes.size()) {  // else (size_t)-1 or -2
    character.valid = true;
    character.length = length == 0 ? 1 : length;  // 0: a NUL
  }
  return character;
}

std::string Spelled(const Character& character, unsigned char first_byte) {
  if (!character.valid) return absl::StrFormat("\\x%02x", first_byte);
  switch (character.code) {
    case L'\n':
      return "\\n";
    case L'\r':
      return "\\r";
    case L'\t':
      return "\\t";
  }
  const auto code = static_cast<uint32_t>(character.code);
  if (code < 0x80) return absl::StrFormat("\\x%02x", code);
  return code <= 0xffff ? absl::StrFormat("\\u%04x", code) : absl::StrFormat("\\U%08x", code);
}

bool IsPrintableAscii(std::string_view text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

}  // namespace

std::string ToUtf8(std::string_view bytes) {
  if (IsPrintableAscii(bytes)) return std::string(bytes);
  const ScopedUtf8Locale locale;
  std::string text;
  for (size_t i = 0; i < bytes.size();) {
    const Character character = Decode(bytes.substr(i));
    text += character.valid ? bytes.substr(i, character.length) : "\xef\xbf\xbd";
    i += character.length;
  }
  return text;
}

std::string ForTerminal(std::string_view bytes) {
  if (IsPrintableAscii(bytes)) return std::string(bytes);
  const ScopedUtf8Locale locale;
  std::string text;
  for (size_t i = 0; i < bytes.size();) {
    const Character character = Decode(bytes.substr(i));
    if (character.valid && wcwidth(character.code) > 0) {
      text += bytes.substr(i, character.length);
    } else {
      text += Spelled(character, bytes[i]);
    }
    i += character.length;
  }
  return text;
}

size_t DisplayWidth(std::string_view text) {
  if (IsPrintableAscii(text)) return text.size();
  const ScopedUtf8Locale locale;
  size_t columns = 0;
  for (size_t i = 0; i < text.size();) {
    const Character character = Decode(text.substr(i));
    columns += character.valid ? std::max(wcwidth(character.code), 0) : 1;
    i += character.length;
  }
  return columns;
}

}  // namespace shunt
