// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/sctp_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace shunt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

DatapathState StateOf(shunt_protocol protocol, uint16_t port, uint16_t target) {
  const IpAddress vip = IpAddress::Parse("10.96.0.10").value();
  const IpAddress pod = IpAddress::Parse("10.244.1.5").value();
  ServicePortState state;
  state.frontends = {{.key = {.address = vip, .port = port, .protocol = protocol}}};
  state.backends = {{.address = pod, .port = target, .in_cluster_list = true}};
  return {{{.name_space = "shop", .name = "diameter", .protocol = protocol},
           std::make_shared<const ServicePortState>(state)}};
}

TEST(SctpWarnings, NameTheSctpFrontendWhosePortWouldHaveToChange) {
  EXPECT_THAT(SctpWarnings(StateOf(SHUNT_SCTP, 80, 3868)),
              ElementsAre(HasSubstr("1 SCTP frontends are not served, the first of them "
                                    "10.96.0.10:80/SCTP of shop/diameter")));
  EXPECT_THAT(SctpWarnings(StateOf(SHUNT_SCTP, 3868, 3868)), IsEmpty());
  EXPECT_THAT(SctpWarnings(StateOf(SHUNT_TCP, 80, 3868)), IsEmpty());
}

}  // namespace
}  // namespace shunt
