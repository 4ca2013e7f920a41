// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/similar.h"

#include <gtest/gtest.h>

#include <string>

namespace shunt {
namespace {

TEST(MostSimilar, FindsWhatWasMeant) {
  EXPECT_EQ(MostSimilar("clusterIp", {"ports", "clusterIP", "clusterIPs"}), "clusterIP");
  EXPECT_EQ(MostSimilar("clusterIp", {"clusterIPs", "clusterIP"}), "clusterIP");
  EXPECT_EQ(MostSimilar("prots", {"port", "ports"}), "ports");
  EXPECT_EQ(MostSimilar("prot", {"spec", "kind"}), "");
  EXPECT_EQ(MostSimilar("port", {"name", "ports"}), "ports");
  EXPECT_EQ(MostSimilar("targetport", {"targetPort"}), "targetPort");
  EXPECT_EQ(MostSimilar("enpoints", {"ports", "endpoints"}), "endpoints");
}

TEST(MostSimilar, GuessesNothingFromSomethingElse) {
  EXPECT_EQ(MostSimilar("trafficDistribution", {"clusterIP", "ports"}), "");
  EXPECT_EQ(MostSimilar("", {"ports"}), "");
  EXPECT_EQ(MostSimilar(std::string(1 << 20, 'x'), {"ports"}), "");
}

}  // namespace
}  // namespace shunt
