// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_ABI_ADDRESS_H_
#define SHUNT_DATAPATH_ABI_ADDRESS_H_

#include <algorithm>
#include <iterator>

#include "shunt/abi.h"
#include "userspace/base/ip_address.h"

namespace shunt {

inline IpAddress ToIpAddress(const shunt_addr& address) {
  IpAddress::Bytes bytes;
  std::copy(std::begin(address.bytes), std::end(address.bytes), bytes.begin());
  return IpAddress(bytes);
}

inline shunt_addr ToAbi(const IpAddress& address) {
  shunt_addr result;
  std::copy(address.bytes().begin(), address.bytes().end(), result.bytes);
  return result;
}

}  // namespace shunt

#endif  // SHUNT_DATAPATH_ABI_ADDRESS_H_
