// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_TEXT_H_
#define SHUNT_BASE_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace shunt {

// Text that somebody else wrote, made fit for where it goes. All thread-safe.

// Valid UTF-8: each byte that is not part of any becomes U+FFFD.
std::string ToUtf8(std::string_view bytes);

// One line for a terminal, a log or a table: printable characters stay, all
// else (controls, escapes, bytes that are no UTF-8, what has no width of its own)
// is spelled out as \n, \x1b or \u202e.
std::string ForTerminal(std::string_view bytes);

// Columns of a terminal that the result of ForTerminal() takes.
size_t DisplayWidth(std::string_view text);

}  // namespace shunt

#endif  // SHUNT_BASE_TEXT_H_
