// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/packet_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

namespace shunt {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A Service with this node port.
DatapathState With(const char* address, uint16_t node_port) {
  auto port = std::make_shared<ServicePortState>();
  port->frontends = {
      {.key = {.address = *IpAddress::Parse(address), .port = node_port}, .kind = SHUNT_NODE_PORT}};
  return {{{"shop", "web", ""}, port}};
}

NetSysctl Of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

const std::vector<PacketDevice> kUplink = {{.index = 2, .name = "eth0"}};

TEST(PacketWarnings, TellOfForwardingThatIsOffInAFamilyThatIsServed) {
  const NetSysctl off = Of({{"ipv4/ip_forward", "0"}, {"ipv6/conf/all/forwarding", "0"}});
  EXPECT_THAT(PacketWarnings(With("192.0.2.1", 30080), kUplink, off),
              ElementsAre(HasSubstr("ipv4/ip_forward is 0")));
  EXPECT_THAT(PacketWarnings(With("fd00::1", 30080), kUplink, off),
              ElementsAre(HasSubstr("ipv6/conf/all/forwarding is 0")));
  const NetSysctl on = Of({{"ipv4/ip_forward", "1"}, {"ipv6/conf/all/forwarding", "1"}});
  EXPECT_THAT(PacketWarnings(With("192.0.2.1", 30080), kUplink, on), IsEmpty());
}

TEST(PacketWarnings, TellOfAStrictReversePathFilterAsTheKernelTakesIt) {
  const auto warnings = [](const char* all, const char* device) {
    return PacketWarnings(
        With("192.0.2.1", 30080), kUplink,
        Of({{"ipv4/conf/all/rp_filter", all}, {"ipv4/conf/eth0/rp_filter", device}}));
  };
  EXPECT_THAT(warnings("0", "1"), ElementsAre(AllOf(HasSubstr("eth0"), HasSubstr("strict"))));
  EXPECT_THAT(warnings("1", "0"), ElementsAre(HasSubstr("strict")));
  EXPECT_THAT(warnings("1", "2"), IsEmpty());
  EXPECT_THAT(warnings("2", "1"), IsEmpty());
  EXPECT_THAT(warnings("0", "0"), IsEmpty());
}

TEST(NodePortWarnings, TellOfNodePortsThatTheHostGivesToItsSockets) {
  const auto warnings = [](const char* range, const char* reserved) {
    return NodePortWarnings(
        With("192.0.2.1", 30080),
        Of({{"ipv4/ip_local_port_range", range}, {"ipv4/ip_local_reserved_ports", reserved}}));
  };
  EXPECT_THAT(warnings("32768\t60999", ""), IsEmpty());
  EXPECT_THAT(warnings("1024\t65535", ""), ElementsAre(HasSubstr("30080")));
  EXPECT_THAT(warnings("30080\t30080", ""), ElementsAre(HasSubstr("30080")));
  EXPECT_THAT(warnings("1024\t65535", "8080,30000-32767"), IsEmpty());
  EXPECT_THAT(warnings("1024\t65535", "30081-32767"), ElementsAre(HasSubstr("30080")));
}

TEST(NodePortWarnings, AreNoneWhereTheKernelDoesNotSay) {
  EXPECT_THAT(NodePortWarnings(With("192.0.2.1", 30080), Of({})), IsEmpty());
}

}  // namespace
}  // namespace shunt
