// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_NETLINK_NETFILTER_CHAINS_H_
#define SHUNT_SOURCES_NETLINK_NETFILTER_CHAINS_H_

#include <string>
#include <vector>

namespace shunt {

// Who has rules in the netfilter of this network namespace: "TABLE CHAIN" of
// nftables (and of iptables where that is made of nftables), for example
// "nat KUBE-SERVICES". Loads no module: empty where the kernel has not used
// nftables yet, or does not let us look.
std::vector<std::string> NftChains();

// Whether the table `nat` of iptables, the old kind, has that chain. IPv4.
bool LegacyNatHasChain(const std::string& chain);

}  // namespace shunt

#endif  // SHUNT_SOURCES_NETLINK_NETFILTER_CHAINS_H_
