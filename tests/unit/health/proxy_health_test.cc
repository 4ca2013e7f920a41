// SPDX-License-Identifier: Apache-2.0
#include "userspace/health/proxy_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shunt {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

const absl::Time kStart = absl::FromUnixSeconds(1'763'881'200);  // 2025-11-23T07:00:00Z

ProxyHealth::Options WithPacketPath() { return {.serves_outside = true}; }

TEST(ProxyHealth, AnswersVerbatimAsKubeProxy) {
  ProxyHealth health(WithPacketPath());
  health.SetNodeEligible(true);
  health.Queued(kStart);
  health.Updated(kStart + absl::Milliseconds(1500));
  const absl::Time now = kStart + absl::Seconds(10);
  const HttpResponse healthz = health.Healthz(now);
  EXPECT_EQ(healthz.code, 200);
  EXPECT_THAT(healthz.headers, UnorderedElementsAre(Pair("Content-Type", "application/json"),
                                                    Pair("X-Content-Type-Options", "nosniff")));
  EXPECT_EQ(healthz.body,
            R"({"lastUpdated":"2025-11-23T07:00:10Z","currentTime":"2025-11-23T07:00:10Z",)"
            R"("nodeEligible":true,"healthy":true,"status":{)"
            R"("IPv4":{"lastUpdated":"2025-11-23T07:00:01.5Z","healthy":true},)"
            R"("IPv6":{"lastUpdated":"2025-11-23T07:00:01.5Z","healthy":true}}})");
  const HttpResponse livez = health.Livez(now);
  EXPECT_EQ(livez.code, 200);
  EXPECT_EQ(livez.body,
            R"({"lastUpdated":"2025-11-23T07:00:10Z","currentTime":"2025-11-23T07:00:10Z",)"
            R"("healthy":true,"status":{)"
            R"("IPv4":{"lastUpdated":"2025-11-23T07:00:01.5Z","healthy":true},)"
            R"("IPv6":{"lastUpdated":"2025-11-23T07:00:01.5Z","healthy":true}}})");
}

TEST(ProxyHealth, BeforeTheFirstSyncItIsHealthyWithoutAStatus) {
  const ProxyHealth health(WithPacketPath());
  EXPECT_EQ(health.Livez(kStart).code, 200);
  EXPECT_EQ(health.Livez(kStart).body,
            R"({"lastUpdated":"2025-11-23T07:00:00Z","currentTime":"2025-11-23T07:00:00Z",)"
            R"("healthy":true})");
}

// H67 of reliability.md.
TEST(ProxyHealth, ANodeThatIsBeingRemovedGetsNoNewTrafficButStaysAlive) {
  ProxyHealth health(WithPacketPath());
  EXPECT_EQ(health.Healthz(kStart).code, 503) << "the Node was never seen";
  health.SetNodeEligible(true);
  EXPECT_EQ(health.Healthz(kStart).code, 200);
  health.SetNodeEligible(false);
  EXPECT_EQ(health.Healthz(kStart).code, 503);
  EXPECT_THAT(health.Healthz(kStart).body, HasSubstr(R"("nodeEligible":false,"healthy":true)"));
  EXPECT_EQ(health.Livez(kStart).code, 200);
  EXPECT_TRUE(health.serves_outside(kStart)) << "service health checks ask only about endpoints";
}

// X33 of reliability.md.
TEST(ProxyHealth, AKernelThatTakesNothingForAMinuteIsUnhealthyUntilItDoes) {
  ProxyHealth health(WithPacketPath());
  health.SetNodeEligible(true);
  health.Updated(kStart);
  health.Queued(kStart + absl::Seconds(5));
  health.Queued(kStart + absl::Seconds(60));  // the oldest counts
  EXPECT_EQ(health.Healthz(kStart + absl::Seconds(64)).code, 200);
  const absl::Time late = kStart + absl::Seconds(65);
  EXPECT_EQ(health.Healthz(late).code, 503);
  EXPECT_EQ(health.Livez(late).code, 503);
  EXPECT_THAT(health.Livez(late).body,
              HasSubstr(R"({"lastUpdated":"2025-11-23T07:00:00Z","currentTime":)"));
  EXPECT_FALSE(health.serves_outside(late));
  health.Updated(late);
  EXPECT_EQ(health.Healthz(late).code, 200);
}

TEST(ProxyHealth, WithoutAPacketPathLoadBalancersAreSentElsewhere) {
  ProxyHealth health({.serves_outside = false});
  health.SetNodeEligible(true);
  health.Updated(kStart);
  EXPECT_EQ(health.Healthz(kStart).code, 503);
  EXPECT_EQ(health.Livez(kStart).code, 200);
  EXPECT_FALSE(health.serves_outside(kStart));
}

TEST(ProxyHealth, SourcesThatListForAnHourAreNoTroubleOfTheKernel) {
  ProxyHealth health(WithPacketPath());
  health.Queued(kStart);
  EXPECT_EQ(health.Livez(kStart + absl::Hours(1)).code, 200);
}

}  // namespace
}  // namespace shunt
