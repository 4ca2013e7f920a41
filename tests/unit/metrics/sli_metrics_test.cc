// SPDX-License-Identifier: Apache-2.0
#include "userspace/metrics/sli_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shunt {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SliText, TellsOfTheHealthCheckOnceItWasAskedFor) {
  EXPECT_THAT(SliText(0), Not(HasSubstr("\"ping\"")));
  EXPECT_THAT(SliText(0), HasSubstr("\nprocess_start_time_seconds "));
  const std::string text = SliText(3);
  EXPECT_THAT(text, HasSubstr("\nkubernetes_healthcheck{name=\"ping\",type=\"healthz\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkubernetes_healthchecks_total{name=\"ping\",status=\"success\","
                              "type=\"healthz\"} 3\n"));
}

}  // namespace
}  // namespace shunt
