// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/host_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A Service with this address, as what `kind` says.
DatapathState With(const char* address, shunt_frontend_kind kind) {
  auto port = std::make_shared<ServicePortState>();
  port->frontends = {{.key = {.address = *IpAddress::Parse(address), .port = 53}, .kind = kind}};
  return {{{"kube-system", "dns", "dns"}, port}};
}

TEST(HostWarnings, TellOfAClusterIpThatTheHostHas) {
  const HostAddresses host = {.addresses = {*IpAddress::Parse("10.96.0.53")}};
  EXPECT_THAT(HostWarnings(With("10.96.0.53", SHUNT_CLUSTER_IP), host),
              ElementsAre(HasSubstr("10.96.0.53 of Service kube-system/dns is an address of this "
                                    "host; the annotation service.shunt/exclude")));
  EXPECT_THAT(HostWarnings(With("10.96.0.54", SHUNT_CLUSTER_IP), host), IsEmpty());
  EXPECT_THAT(HostWarnings(With("10.96.0.53", SHUNT_NODE_PORT), host), IsEmpty())
      << "node ports are at addresses of the host";
}

TEST(HostWarnings, TellOfADnsCacheOfTheNode) {
  EXPECT_THAT(HostWarnings({}, {.interfaces = {"eth0", "lo", "nodelocaldns"}}),
              ElementsAre(HasSubstr("nodelocaldns exists")));
  EXPECT_THAT(HostWarnings({}, {.interfaces = {"eth0", "lo"}}), IsEmpty());
}

}  // namespace
}  // namespace shunt
