// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/node_port_addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<IpAddress> Addresses(const std::vector<std::string>& texts) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) addresses.push_back(*IpAddress::Parse(text));
  return addresses;
}

std::vector<std::string> ServedAt(const std::vector<std::string>& words, const Node* node = nullptr,
                                  bool localhost = true) {
  absl::StatusOr<NodePortAddressRule> rule = ParseNodePortAddresses(words);
  EXPECT_TRUE(rule.ok()) << rule.status();
  rule->localhost = localhost;
  std::vector<std::string> texts;
  const auto host = Addresses({"192.0.2.1", "10.1.2.3", "2001:db8::1"});
  for (const IpAddress& address : NodePortAddresses(*rule, host, node)) {
    texts.push_back(address.ToString());
  }
  return texts;
}

TEST(NodePortAddresses, AreAllOfTheHostAndLoopbackWhereNothingIsSaid) {
  EXPECT_THAT(ServedAt({}),
              UnorderedElementsAre("192.0.2.1", "10.1.2.3", "2001:db8::1", "127.0.0.1", "::1"));
}

TEST(NodePortAddresses, AreNotAtLoopbackWhereThatIsOff) {
  EXPECT_THAT(ServedAt({}, nullptr, false),
              UnorderedElementsAre("192.0.2.1", "10.1.2.3", "2001:db8::1"));
}

TEST(NodePortAddresses, AreThoseInTheRangesAndAllOfAFamilyWithoutAny) {
  EXPECT_THAT(ServedAt({"10.0.0.0/8"}), UnorderedElementsAre("10.1.2.3", "2001:db8::1", "::1"));
  EXPECT_THAT(ServedAt({"10.0.0.0/8", "127.0.0.0/8", "fd00::/8"}),
              UnorderedElementsAre("10.1.2.3", "127.0.0.1"));
}

TEST(NodePortAddresses, PrimaryIsWhatTheNodeSays) {
  const Node node{.addresses = Addresses({"192.0.2.1"})};
  EXPECT_THAT(ServedAt({"primary"}, &node), ElementsAre("192.0.2.1"));
  EXPECT_THAT(ServedAt({"primary"}), IsEmpty());
}

TEST(NodePortAddresses, AMistakeIsNamed) {
  EXPECT_EQ(ParseNodePortAddresses({"10.0.0.0/33"}).status().message(),
            "\"10.0.0.0/33\" is neither a range of addresses like 10.0.0.0/8 nor primary");
  EXPECT_EQ(ParseNodePortAddresses({"primary", "10.0.0.0/8"}).status().message(),
            "primary stands alone, without ranges");
}

}  // namespace
}  // namespace shunt
