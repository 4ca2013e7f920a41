// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/source_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/state/state_builder.h"

namespace shunt {
namespace {

using ::testing::SizeIs;

shunt_source_key Source(uint32_t service_id, std::string_view range) {
  return SourceKeyOf(service_id, Cidr::Parse(range).value());
}

bool AreOne(const shunt_source_key& a, const shunt_source_key& b) {
  return !SourceKeyLess()(a, b) && !SourceKeyLess()(b, a);
}

TEST(SourceKeyTest, ARangeStandsInTheTrieBehindItsServiceAndIpv4BehindItsMapping) {
  EXPECT_EQ(Source(7, "10.0.0.0/8").prefix_length, 32u + 96 + 8);
  EXPECT_EQ(Source(7, "0.0.0.0/0").prefix_length, 32u + 96);
  EXPECT_EQ(Source(7, "2001:db8::/32").prefix_length, 32u + 32);
  EXPECT_EQ(Source(7, "10.0.0.0/8").service_id, 7u);
}

TEST(SourceKeyTest, ARangeSurvivesTheWayThroughTheMaps) {
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "::/0", "::/1", "::/96",
                           "2001:db8::/32", "2001:db8::1/128"}) {
    EXPECT_EQ(RangeOf(Source(1, text)), Cidr::Parse(text).value()) << text;
  }
}

TEST(SourceKeyTest, AnIpv6RangeNamesIpv6ClientsAlone) {
  for (const char* text : {"::/0", "::/1", "::/95", "::/96", "2001:db8::/32"}) {
    EXPECT_EQ(SourceValueOf(Source(1, text)), 6) << text;
  }
  for (const char* text : {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.1/32"}) {
    EXPECT_EQ(SourceValueOf(Source(1, text)), 4) << text;
  }
}

TEST(SourceKeyTest, BitsBehindThePrefixMakeNoOtherKey) {
  shunt_source_key key = Source(1, "10.0.0.0/9");
  key.prefix.bytes[13] |= 0x7f;
  EXPECT_TRUE(AreOne(key, Source(1, "10.0.0.0/9")));
  EXPECT_EQ(RangeOf(key), Cidr::Parse("10.0.0.0/9").value());
  key.prefix.bytes[13] |= 0x80;
  EXPECT_FALSE(AreOne(key, Source(1, "10.0.0.0/9")));
  EXPECT_FALSE(AreOne(Source(1, "10.0.0.0/9"), Source(1, "10.0.0.0/10")));
  EXPECT_FALSE(AreOne(Source(1, "10.0.0.0/9"), Source(2, "10.0.0.0/9")));
}

TEST(SourceKeyTest, WhatIsNoRangeOfAddressesIsNotShownAsOne) {
  EXPECT_EQ(RangeOf({.prefix_length = 0, .service_id = 1}), std::nullopt);
  EXPECT_EQ(RangeOf({.prefix_length = 31, .service_id = 1}), std::nullopt);
  EXPECT_EQ(RangeOf({.prefix_length = ~0u, .service_id = 1}), std::nullopt);
}

TEST(SourceSetTest, KnowsTheRangesOfEachService) {
  SourceSet sources;
  for (uint32_t id : {1u, 2u, ~0u}) sources.Insert(Source(id, "10.0.0.0/8"));
  sources.Insert(Source(2, "::/0"));
  EXPECT_THAT(sources.Of(0), SizeIs(0));
  EXPECT_THAT(sources.Of(1), SizeIs(1));
  EXPECT_THAT(sources.Of(2), SizeIs(2));
  EXPECT_THAT(sources.Of(~0u), SizeIs(1));
  sources.Erase(Source(2, "10.0.0.0/8"));
  EXPECT_FALSE(sources.Contains(Source(2, "10.0.0.0/8")));
  EXPECT_TRUE(sources.Contains(Source(2, "::/0")));
}

}  // namespace
}  // namespace shunt
