// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_STATE_JSON_H_
#define SHUNT_CLI_STATE_JSON_H_

#include <string>

#include "userspace/cli/json.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// Service ports as the objects that -o json prints; README.md describes their
// fields, which are a promise to scripts. Pure.

Json ServicePortJson(const ServicePortName& name, const ServicePortState& state);
Json BackendJson(const ServicePortName& name, const ServicePortState& state,
                 const Backend& backend);

// `backends`: how many it may choose from.
Json FrontendJson(const Frontend& frontend, size_t backends);

// Of an object with fields "address" and "port".
std::string AddressAndPortText(const Json& object);
// Of a frontend: "10.96.0.10:80/TCP".
std::string FrontendText(const Json& frontend);
// Behind a number of backends: " (SCTP: not seen at the socket)", else "".
std::string UnseenText(const Json& frontend);
// "Cluster,Local"
std::string JoinedTexts(const Json& array);
// "Serving": some frontend may choose it. "Draining": it keeps what it has.
size_t CountServing(const Json& backends);

}  // namespace shunt

#endif  // SHUNT_CLI_STATE_JSON_H_
