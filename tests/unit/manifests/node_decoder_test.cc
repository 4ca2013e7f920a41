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

}  // namespace
}  // namespace shunt
