// SPDX-License-Identifier: Apache-2.0
// What the next agent finds.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/support/datapath_test.h"

namespace shunt::testing {
namespace {

class Takeover : public DatapathTest {
 protected:
  // What an agent sees that starts after this one.
  bool NextServesAlready(const std::string& at_cgroup) {
    EndAgent();
    const auto next = Datapath::Open({.bpffs = bpffs(), .cgroup = at_cgroup, .build = "next"});
    EXPECT_TRUE(next.ok()) << next.status();
    return next.ok() && (*next)->serves_already();
  }
};

TEST_F(Takeover, AFirstAgentHasToFillTheTablesBeforeTrafficIsServed) {
  EXPECT_FALSE(datapath().serves_already());
}

TEST_F(Takeover, TheNextAgentIsReadyAtOnceForTheTablesThatAreInCharge) {
  Apply(DatapathState());
  EXPECT_TRUE(NextServesAlready(cgroup()));
}

TEST_F(Takeover, TablesThatNeverWereInChargeServeNobody) {
  EXPECT_FALSE(NextServesAlready(cgroup()));
}

TEST_F(Takeover, TablesOfAnotherCgroupDoNotServeThisOne) {
  Apply(DatapathState());
  EXPECT_FALSE(NextServesAlready(GetEnvironment()->cgroup));
}

TEST_F(Takeover, CleanupRemovesAlsoWhatAnAgentLeftThatWasKilledWhileItPinned) {
  Apply(DatapathState());
  EndAgent();
  const std::string pin = bpffs() + "/shunt_meta";
  ASSERT_EQ(rename(pin.c_str(), (pin + "_new").c_str()), 0);
  const absl::Status removed = RemoveDatapath(bpffs());
  EXPECT_TRUE(removed.ok()) << removed;
}

}  // namespace
}  // namespace shunt::testing
