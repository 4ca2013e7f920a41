// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/manifests/decoding.h"

namespace shunt {
namespace {

bool IsBeingRemoved(const std::string& metadata, const std::string& spec) {
  const Decoded<Node> node = DecodeOne<Node>("apiVersion: v1\nkind: Node\nmetadata: {name: node-a" +
                                             metadata + "}\nspec: {" + spec + "}\n");
  EXPECT_TRUE(node.usable);
  EXPECT_THAT(node.problems, testing::IsEmpty());
  return node.object.being_removed;
}

// H67 of reliability.md: load balancers outside are told to send no more.
TEST(NodeDecoder, ANodeThatTheAutoscalerTakesAwayIsBeingRemoved) {
  EXPECT_TRUE(
      IsBeingRemoved("",
                     "taints: [{key: a, effect: NoExecute}, {key: ToBeDeletedByClusterAutoscaler, "
                     "value: '1700000000', effect: NoSchedule}]"));
  EXPECT_FALSE(IsBeingRemoved("", "taints: [{key: node.kubernetes.io/unschedulable}]"));
}

TEST(NodeDecoder, ANodeWithADeletionTimestampIsBeingRemoved) {
  EXPECT_TRUE(IsBeingRemoved(", deletionTimestamp: '2025-11-23T07:00:00Z'", ""));
  EXPECT_FALSE(IsBeingRemoved(", deletionTimestamp: null", ""));
  EXPECT_FALSE(IsBeingRemoved("", ""));
}

// Node ports are served at these: 0.0.0.0 would take a pod's own loopback.
TEST(NodeDecoder, AnAddressAtWhichNoNodeCanBeIsLeftOutAlone) {
  const Decoded<Node> node = DecodeOne<Node>(R"(apiVersion: v1
kind: Node
metadata: {name: node-a}
status:
  addresses:
  - {type: InternalIP, address: 0.0.0.0}
  - {type: InternalIP, address: 127.0.0.1}
  - {type: InternalIP, address: 'fe80::1'}
  - {type: InternalIP, address: 224.0.0.1}
  - {type: InternalIP, address: 192.0.2.1}
  - {type: InternalIP, address: 192.0.2.1}
  - {type: Hostname, address: 192.0.2.2}
  - {type: InternalIP}
)");
  ASSERT_TRUE(node.usable);
  EXPECT_THAT(node.object.addresses, testing::Each(*IpAddress::Parse("192.0.2.1")));
  EXPECT_THAT(node.problems,
              testing::ElementsAre(testing::HasSubstr("status.addresses[0].address: 0.0.0.0 is"),
                                   testing::HasSubstr("status.addresses[1].address: 127.0.0.1 is"),
                                   testing::HasSubstr("status.addresses[2].address: fe80::1 is"),
                                   testing::HasSubstr("status.addresses[3].address: 224.0.0.1 is"),
                                   testing::HasSubstr("status.addresses[7].address")));
}

}  // namespace
}  // namespace shunt
