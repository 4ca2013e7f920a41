// SPDX-License-Identifier: Apache-2.0
#include "userspace/metrics/programming_latency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace shunt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const absl::Time kStart = absl::FromUnixSeconds(1'763'881'200);
const NamespacedName kWeb = {"shop", "web"};

std::shared_ptr<const EndpointSlice> Triggered(absl::Time time, Family family = Family::kIpv4) {
  EndpointSlice slice = {.service = kWeb, .family = family};
  slice.trigger_time = time;
  return std::make_shared<const EndpointSlice>(std::move(slice));
}

ClusterChanges Changed(std::vector<std::shared_ptr<const EndpointSlice>> slices) {
  ServiceInput input = {.service = std::make_shared<const Service>(), .slices = std::move(slices)};
  return {.services = {{kWeb, std::move(input)}}};
}

TEST(ProgrammingLatency, IsTheTimeSinceTheSliceWasTriggered) {
  ProgrammingLatency latency(kStart);
  const absl::Time triggered = kStart + absl::Seconds(10);
  EXPECT_THAT(latency.Take(Changed({Triggered(triggered), Triggered(triggered, Family::kIpv6)}),
                           triggered + absl::Milliseconds(250)),
              ElementsAre(Pair(Family::kIpv4, absl::Milliseconds(250)),
                          Pair(Family::kIpv6, absl::Milliseconds(250))));
}

TEST(ProgrammingLatency, ChangesFromBeforeTheStartAreNotCounted) {
  ProgrammingLatency latency(kStart);
  EXPECT_THAT(latency.Take(Changed({Triggered(kStart - absl::Hours(1)), Triggered(kStart),
                                    Triggered(absl::InfinitePast())}),
                           kStart + absl::Seconds(1)),
              IsEmpty());
}

TEST(ProgrammingLatency, ASliceThatDidNotChangeIsNotCountedAgain) {
  ProgrammingLatency latency(kStart);
  const auto first = Triggered(kStart + absl::Seconds(1));
  const auto second = Triggered(kStart + absl::Seconds(5));
  latency.Take(Changed({first}), kStart + absl::Seconds(2));
  EXPECT_THAT(latency.Take(Changed({first, second}), kStart + absl::Seconds(6)),
              ElementsAre(Pair(Family::kIpv4, absl::Seconds(1))));
  EXPECT_THAT(latency.Take(Changed({first, second}), kStart + absl::Seconds(7)), IsEmpty());
}

TEST(ProgrammingLatency, AServiceThatIsGoneIsForgotten) {
  ProgrammingLatency latency(kStart);
  const auto slice = Triggered(kStart + absl::Seconds(1));
  latency.Take(Changed({slice}), kStart + absl::Seconds(2));
  latency.Take({.services = {{kWeb, {}}}}, kStart + absl::Seconds(3));
  EXPECT_EQ(latency.Take(Changed({slice}), kStart + absl::Seconds(4)).size(), 1u);
}

}  // namespace
}  // namespace shunt
