// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/ip_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shunt {
namespace {

using ::testing::HasSubstr;

std::string Normalized(std::string_view text) {
  const absl::StatusOr<IpAddress> address = IpAddress::Parse(text);
  return address.ok() ? address->ToString() : "refused";
}

std::string NormalizedCidr(std::string_view text) {
  const absl::StatusOr<Cidr> cidr = Cidr::Parse(text);
  return cidr.ok() ? cidr->ToString() : "refused";
}

TEST(IpAddress, LeadingZerosAreDecimalAsKubernetesReadsThem) {
  EXPECT_EQ(Normalized("010.000.000.012"), "10.0.0.12");
  EXPECT_EQ(Normalized("010.0.0.1"), "10.0.0.1");
  EXPECT_EQ(Normalized("::ffff:010.0.0.1"), "10.0.0.1");
  EXPECT_EQ(Normalized("00000010.0.0.1"), "10.0.0.1");
}

TEST(IpAddress, AnIpv4AddressInIpv6NotationIsTheIpv4Address) {
  const IpAddress mapped = *IpAddress::Parse("::ffff:10.0.0.1");
  EXPECT_EQ(mapped, *IpAddress::Parse("10.0.0.1"));
  EXPECT_EQ(mapped, *IpAddress::Parse("::ffff:a00:1"));
  EXPECT_EQ(mapped.family(), Family::kIpv4);
}

TEST(IpAddress, Ipv6IsPrintedInItsShortForm) {
  EXPECT_EQ(Normalized("fd00:0:0:0::1"), "fd00::1");
  EXPECT_EQ(Normalized("FD00::A"), "fd00::a");
  EXPECT_EQ(Normalized("::"), "::");
  EXPECT_EQ(Normalized("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
}

TEST(IpAddress, WhatIsNoAddressIsRefused) {
  for (const std::string_view text : {"",
                                      " ",
                                      "10.0.0.1 ",
                                      " 10.0.0.1",
                                      "10.0.0.1/32",
                                      "[::1]",
                                      "fe80::1%eth0",
                                      "0x0a.0.0.1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "localhost",
                                      "256.0.0.1",
                                      "10.0.0.-1",
                                      "10.0.0.+1",
                                      "10..0.1",
                                      ":",
                                      ":::",
                                      "1:2:3:4:5:6:7",
                                      "::1.2.3",
                                      "::ffff:1.2.3.256",
                                      "12345::",
                                      "10.0.0.99999999999999"}) {
    EXPECT_EQ(Normalized(text), "refused") << text;
  }
  EXPECT_EQ(Normalized(std::string(4096, '1')), "refused");
  EXPECT_EQ(Normalized(std::string("10.0.0.1\0", 9)), "refused");
  EXPECT_EQ(Normalized(std::string("::1\0::2", 7)), "refused");
}

TEST(IpAddress, TheMessageQuotesWhatWasWrittenWithoutHarmToATerminal) {
  const std::string message(IpAddress::Parse("\x1b[2J").status().message());
  EXPECT_THAT(message, HasSubstr("is not an IP address"));
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_LT(IpAddress::Parse(std::string(100000, 'x')).status().message().size(), 200u);
}

TEST(IpAddress, KnowsAddressesThatTrafficMayNeverGoTo) {
  EXPECT_TRUE(IpAddress::Parse("0.0.0.0")->IsUnspecified());
  EXPECT_TRUE(IpAddress::Parse("::")->IsUnspecified());
  EXPECT_FALSE(IpAddress::Parse("0.0.0.1")->IsUnspecified());
  EXPECT_TRUE(IpAddress::Parse("127.9.9.9")->IsLoopback());
  EXPECT_TRUE(IpAddress::Parse("::1")->IsLoopback());
  EXPECT_FALSE(IpAddress::Parse("::2")->IsLoopback());
  EXPECT_TRUE(IpAddress::Parse("169.254.169.254")->IsLinkLocal());
  EXPECT_TRUE(IpAddress::Parse("febf::1")->IsLinkLocal());
  EXPECT_FALSE(IpAddress::Parse("fec0::1")->IsLinkLocal());
  EXPECT_TRUE(IpAddress::Parse("224.0.0.1")->IsMulticast());
  EXPECT_TRUE(IpAddress::Parse("239.255.255.255")->IsMulticast());
  EXPECT_FALSE(IpAddress::Parse("240.0.0.1")->IsMulticast());
  EXPECT_TRUE(IpAddress::Parse("ff02::1")->IsMulticast());
  EXPECT_TRUE(IpAddress::Parse("255.255.255.255")->IsBroadcast());
  EXPECT_FALSE(IpAddress::Parse("255.255.255.254")->IsBroadcast());
}

TEST(IpAddress, AnIpv6AddressIsBracketedBeforeAPort) {
  EXPECT_EQ(AddressAndPort(*IpAddress::Parse("10.0.0.1"), 80), "10.0.0.1:80");
  EXPECT_EQ(AddressAndPort(*IpAddress::Parse("fd00::1"), 65535), "[fd00::1]:65535");
}

TEST(Cidr, BitsBehindThePrefixAreClearedAsKubernetesDoes) {
  EXPECT_EQ(NormalizedCidr("10.1.2.3/8"), "10.0.0.0/8");
  EXPECT_EQ(NormalizedCidr("010.1.2.3/31"), "10.1.2.2/31");
  EXPECT_EQ(NormalizedCidr("0.0.0.0/0"), "0.0.0.0/0");
  EXPECT_EQ(NormalizedCidr("fd00::ffff/64"), "fd00::/64");
  EXPECT_EQ(NormalizedCidr("::/0"), "::/0");
  EXPECT_EQ(NormalizedCidr("::ffff:10.0.0.1/104"), "10.0.0.0/8");
}

TEST(Cidr, WhatIsNoRangeIsRefused) {
  for (const std::string_view text :
       {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "/8", "fd00::/129", "10.0.0.0/8/8",
        "10.0.0.0/ 8", "abc", "", "::ffff:10.0.0.0/95", "10.0.0.0/8 "}) {
    EXPECT_EQ(NormalizedCidr(text), "refused") << text;
  }
}

TEST(Cidr, HoldsAddressesOfItsOwnFamilyOnly) {
  const Cidr ten = *Cidr::Parse("10.0.0.0/9");
  EXPECT_TRUE(ten.Contains(*IpAddress::Parse("10.127.255.255")));
  EXPECT_FALSE(ten.Contains(*IpAddress::Parse("10.128.0.0")));
  EXPECT_TRUE(Cidr::Parse("0.0.0.0/0")->Contains(*IpAddress::Parse("192.0.2.1")));
  EXPECT_FALSE(Cidr::Parse("::/0")->Contains(*IpAddress::Parse("192.0.2.1")));
  EXPECT_FALSE(Cidr::Parse("0.0.0.0/0")->Contains(*IpAddress::Parse("fd00::1")));
  EXPECT_TRUE(Cidr::Parse("fd00::/64")->Contains(*IpAddress::Parse("fd00::1")));
}

}  // namespace
}  // namespace shunt
