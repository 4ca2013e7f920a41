// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FieldsTest : public ::testing::Test {
 protected:
  // The only problem's message, or "".
  std::string Message() const { return problems_.empty() ? "" : problems_.back().message; }

  Problems problems_;
  ProblemReporter report_{"Service shop/web", "web.yaml", problems_};
  FieldPath object_{3};
  FieldPath field_ = object_.Member("field", 12);
};

TEST_F(FieldsTest, AProblemNamesFileLineObjectAndField) {
  const FieldPath ports = object_.Member("ports", 8);
  const FieldPath first = ports.Element(1, 11);
  ReadPort(70000, first.Member("port", 12), report_);
  ASSERT_THAT(problems_, SizeIs(1));
  EXPECT_EQ(problems_[0].ToString(),
            "web.yaml:12: Service shop/web: ports[1].port: 70000 is not a port (1 to 65535)");
}

TEST_F(FieldsTest, ALabelsKeyIsPrintedInBrackets) {
  const FieldPath labels = object_.Member("labels", 4);
  EXPECT_EQ(labels.Member("a.b/c", 5).ToString(), "labels[a.b/c]");
}

TEST_F(FieldsTest, TrafficNeverGoesToAnAddressOfTheNodeItselfOrOfNobody) {
  for (const std::string_view text :
       {"0.0.0.0", "::", "127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1",
        "224.0.0.1", "ff02::1", "255.255.255.255"}) {
    EXPECT_EQ(ReadServingAddress(text, field_, report_), std::nullopt) << text;
    EXPECT_THAT(Message(), HasSubstr("no Service, endpoint or node may have"));
  }
  EXPECT_EQ(ReadServingAddress("010.96.0.1", field_, report_), *IpAddress::Parse("10.96.0.1"));
}

TEST_F(FieldsTest, PortsAreOneTo65535) {
  for (const int64_t port :
       {int64_t{0}, int64_t{-1}, int64_t{65536}, std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    EXPECT_EQ(ReadPort(port, field_, report_), std::nullopt) << port;
  }
  EXPECT_EQ(ReadPort(1, field_, report_), 1);
  EXPECT_EQ(ReadPort(65535, field_, report_), 65535);
}

TEST_F(FieldsTest, AProtocolIsSpelledAsTheApiSpellsIt) {
  EXPECT_EQ(ReadProtocol("", field_, report_), SHUNT_TCP);
  EXPECT_EQ(ReadProtocol("UDP", field_, report_), SHUNT_UDP);
  EXPECT_EQ(ReadProtocol("SCTP", field_, report_), SHUNT_SCTP);
  for (const std::string_view text : {std::string_view("tcp"), std::string_view("TCP "),
                                      std::string_view("ICMP"), std::string_view("\0", 1)}) {
    EXPECT_EQ(ReadProtocol(text, field_, report_), std::nullopt) << text;
  }
}

TEST_F(FieldsTest, AnUnknownTrafficPolicyServesTheWholeCluster) {
  EXPECT_EQ(ReadTrafficPolicy("Local", field_, report_), TrafficPolicy::kLocal);
  EXPECT_EQ(ReadTrafficPolicy("", field_, report_), TrafficPolicy::kCluster);
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(ReadTrafficPolicy("Foo", field_, report_), TrafficPolicy::kCluster);
  EXPECT_THAT(problems_, SizeIs(1));
}

TEST_F(FieldsTest, HeadlessAndNotYetAllocatedAreNoProblem) {
  std::vector<IpAddress> addresses;
  AddClusterIp("None", field_, report_, addresses);
  AddClusterIp("", field_, report_, addresses);
  EXPECT_THAT(addresses, IsEmpty());
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(FieldsTest, AServiceHasOneAddressOfEachFamily) {
  std::vector<IpAddress> addresses;
  for (const std::string_view text : {"fd00::1", "10.0.0.1", "10.0.0.1", "fd00::2"}) {
    AddClusterIp(text, field_, report_, addresses);
  }
  EXPECT_THAT(addresses, ElementsAre(*IpAddress::Parse("fd00::1"), *IpAddress::Parse("10.0.0.1")));
  EXPECT_THAT(problems_, SizeIs(2));
}

TEST_F(FieldsTest, ARangeThatNobodyCanReadOpensNoFamily) {
  Service service;
  SetSourceRanges({}, 2, service);
  EXPECT_TRUE(service.has_unreadable_sources);
  SetSourceRanges({}, 0, service);
  EXPECT_FALSE(service.has_unreadable_sources);
  SetSourceRanges({*Cidr::Parse("10.0.0.0/8")}, 2, service);
  EXPECT_TRUE(service.has_unreadable_sources) << "it may have been one of IPv6";
  SetSourceRanges({*Cidr::Parse("0.0.0.0/0")}, 2, service);
  EXPECT_THAT(service.source_ranges, ElementsAre(*Cidr::Parse("0.0.0.0/0"))) << "IPv4 is open";
}

TEST_F(FieldsTest, ARangeOfEverythingOpensItsFamilyOnly) {
  Service service;
  SetSourceRanges({*Cidr::Parse("10.0.0.0/8"), *Cidr::Parse("::/0"), *Cidr::Parse("fd00::/8")}, 3,
                  service);
  EXPECT_THAT(service.source_ranges, ElementsAre(*Cidr::Parse("10.0.0.0/8")));
  SetSourceRanges({*Cidr::Parse("0.0.0.0/0")}, 1, service);
  EXPECT_THAT(service.source_ranges, IsEmpty());
  EXPECT_FALSE(service.has_unreadable_sources);
}

TEST_F(FieldsTest, SourceRangesMayBePadded) {
  EXPECT_EQ(ReadCidr(" 10.0.0.1/8 ", field_, report_)->ToString(), "10.0.0.0/8");
  EXPECT_EQ(ReadCidr("10.0.0.0/33", field_, report_), std::nullopt);
}

TEST_F(FieldsTest, NamesAreThoseThatKubernetesAllows) {
  EXPECT_TRUE(CheckName("web-1", NameRule::kLabel, field_, report_));
  EXPECT_TRUE(CheckName(std::string(63, 'a'), NameRule::kLabel, field_, report_));
  EXPECT_TRUE(CheckName("node-1.example.org", NameRule::kSubdomain, field_, report_));
  EXPECT_THAT(problems_, IsEmpty());
  for (const std::string& name :
       {std::string(), std::string("Web"), std::string("a_b"), std::string("-a"), std::string("a-"),
        std::string("a.b"), std::string(64, 'a'), std::string("\xc3\xa4"),
        std::string("a\0b", 3)}) {
    EXPECT_FALSE(CheckName(name, NameRule::kLabel, field_, report_)) << name;
  }
  EXPECT_FALSE(CheckName("a..b", NameRule::kSubdomain, field_, report_));
  EXPECT_FALSE(CheckName(std::string(254, 'a'), NameRule::kSubdomain, field_, report_));
}

TEST_F(FieldsTest, ATimeIsReadToTheNanosecondAndItsAbsenceIsNone) {
  EXPECT_EQ(ReadTime("", field_, report_), absl::InfinitePast());
  EXPECT_EQ(ReadTime("2024-05-01T10:00:00.000000001Z", field_, report_),
            absl::FromUnixNanos(1714557600000000001));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(ReadTime("yesterday", field_, report_), absl::InfinitePast());
  EXPECT_THAT(problems_, SizeIs(1));
}

TEST(ProblemReporter, TenThousandMistakesOfOneObjectAreElevenLines) {
  Problems problems;
  {
    ProblemReporter report("EndpointSlice shop/web-1", "web.yaml", problems);
    const FieldPath object(1);
    for (int i = 0; i < 10000; ++i) report.Add(object, "wrong");
  }
  ASSERT_THAT(problems, SizeIs(11));
  EXPECT_EQ(problems.back().ToString(),
            "web.yaml: EndpointSlice shop/web-1: and 9990 more problems");
}

TEST(ProblemReporter, AWrongElementIsNotAWrongObject) {
  Problems problems;
  ProblemReporter report("Service shop/web", "web.yaml", problems);
  {
    const UnitScope port(report);
    report.Reject(FieldPath(2), "wrong");
    EXPECT_TRUE(port.rejected());
  }
  EXPECT_FALSE(report.rejected());
  report.Reject(FieldPath(3), "wrong");
  {
    const UnitScope port(report);
    EXPECT_FALSE(port.rejected());
  }
  EXPECT_TRUE(report.rejected());
}

}  // namespace
}  // namespace shunt
