// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/host_warnings.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"

namespace shunt {
namespace {

// The interface that NodeLocal DNSCache makes, with the DNS Service's ClusterIP.
constexpr char kNodeLocalDns[] = "nodelocaldns";

constexpr char kRemedy[] =
    "; the annotation service.shunt/exclude: \"true\" leaves a Service to who answers there";

}  // namespace

std::vector<std::string> HostWarnings(const DatapathState& state, const HostAddresses& host) {
  std::map<IpAddress, std::string> taken;  // ClusterIPs that are the host's, whose they are
  for (const auto& [name, port] : state) {
    for (const Frontend& frontend : port->frontends) {
      if (frontend.kind == SHUNT_CLUSTER_IP &&
          std::binary_search(host.addresses.begin(), host.addresses.end(), frontend.key.address)) {
        taken[frontend.key.address] = absl::StrCat(name.name_space, "/", name.name);
      }
    }
  }
  std::vector<std::string> warnings;
  for (const auto& [address, service] : taken) {
    warnings.push_back(absl::StrCat("the ClusterIP ", address.ToString(), " of Service ", service,
                                    " is an address of this host", kRemedy));
  }
  if (std::binary_search(host.interfaces.begin(), host.interfaces.end(), kNodeLocalDns)) {
    warnings.push_back(
        absl::StrCat("the interface ", kNodeLocalDns, " exists: a DNS cache of the node", kRemedy));
  }
  return warnings;
}

}  // namespace shunt
