// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_JSON_H_
#define SHUNT_CLI_JSON_H_

#include <nlohmann/json.hpp>

namespace shunt {

// What a command shows, before it has a form. Fields keep the order in which
// they were set. Strings may hold any bytes; the writers make them fit.
using Json = nlohmann::ordered_json;

// The value of "apiVersion" in what -o json and -o yaml print.
inline constexpr char kApiVersion[] = "shunt.v1";

}  // namespace shunt

#endif  // SHUNT_CLI_JSON_H_
