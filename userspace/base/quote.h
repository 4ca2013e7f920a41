// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_QUOTE_H_
#define SHUNT_BASE_QUOTE_H_

#include <string>
#include <string_view>

namespace shunt {

// Somebody else's text for a message: in quotation marks, cut where it is long,
// and on one line that drives no terminal.
std::string Quoted(std::string_view text);

}  // namespace shunt

#endif  // SHUNT_BASE_QUOTE_H_
