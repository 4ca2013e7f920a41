// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "userspace/model/cluster.h"

namespace shunt {
namespace {

TEST(Problem, LeavesOutWhatIsUnknown) {
  EXPECT_EQ((Problem{.origin = "web.yaml", .message = "empty"}.ToString()), "web.yaml: empty");
  EXPECT_EQ((Problem{.object = "Service a/b", .field = "spec", .message = "gone"}.ToString()),
            "Service a/b: spec: gone");
}

TEST(ObjectKey, ANodeHasNoNamespace) {
  EXPECT_EQ((ObjectKey{.kind = Kind::kService, .name = {"shop", "web"}}.ToString()),
            "Service shop/web");
  EXPECT_EQ(KeyOf(Node{.meta = {.name = {.name = "node-a"}}}).ToString(), "Node node-a");
  EXPECT_EQ(KeyOf(EndpointSlice{.meta = {.name = {"shop", "web-1"}}}).kind, Kind::kEndpointSlice);
}

TEST(Protocol, ANumberOfAnotherVersionIsNoCrash) {
  EXPECT_EQ(ProtocolName(SHUNT_UDP), "UDP");
  EXPECT_EQ(ProtocolName(static_cast<shunt_protocol>(7)), "?");
}

}  // namespace
}  // namespace shunt
