// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_NETNS_NAMES_H_
#define SHUNT_CLI_NETNS_NAMES_H_

#include <cstdint>
#include <map>
#include <string>

namespace shunt {

// Names for people of the network namespaces that can be reached, by their
// cookie, which is how the programs know them: "host" of the one that this
// process is in, else as base/netns.h says. Without CAP_SYS_ADMIN the host's
// alone.
std::map<uint64_t, std::string> NetnsNames();

}  // namespace shunt

#endif  // SHUNT_CLI_NETNS_NAMES_H_
