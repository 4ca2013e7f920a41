// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/service.h"

namespace shunt {

std::string_view ProtocolName(shunt_protocol protocol) {
  switch (protocol) {
    case SHUNT_ANY_PROTOCOL:
      return "*";
    case SHUNT_TCP:
      return "TCP";
    case SHUNT_UDP:
      return "UDP";
    case SHUNT_SCTP:
      return "SCTP";
  }
  return "?";  // a number from a map that another version wrote
}

}  // namespace shunt
