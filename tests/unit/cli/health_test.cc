// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/cli_fixture.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;

class Health : public CliFixture {
 protected:
  void SetUp() override { StartServer(); }
};

TEST_F(Health, AnAgentThatServesIsAliveAndReady) {
  EXPECT_EQ(Run({"health", "live"}).out, "alive\n");
  EXPECT_EQ(Run({"health", "ready"}).out, "ready\n");
  EXPECT_EQ(Run({"health", "ready"}).code, 0);
}

TEST_F(Health, AnAgentThatWaitsForItsSourcesIsAliveAndNotReady) {
  agent_.health = {.alive = true, .ready = false};
  EXPECT_EQ(Run({"health", "live"}).code, 0);
  const Result ready = Run({"health", "ready"});
  EXPECT_EQ(ready.code, 1);
  EXPECT_THAT(ready.err, HasSubstr("not ready: not all sources have listed yet"));
}

TEST_F(Health, AControlThreadThatHangsIsNotAlive) {
  agent_.health = {.alive = false, .ready = true};
  for (const char* probe : {"live", "ready"}) {
    const Result result = Run({"health", probe});
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr("the control thread does not answer"));
  }
}

TEST_F(Health, PinnedMapsAloneAreNotHealth) {
  variables_["SHUNT_SOCKET"] = directory_ + "/nobody.sock";
  for (const char* probe : {"live", "ready"}) {
    const Result result = Run({"health", probe});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("no agent answers"));
  }
}

}  // namespace
}  // namespace shunt
