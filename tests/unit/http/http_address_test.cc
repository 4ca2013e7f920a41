// SPDX-License-Identifier: Apache-2.0
#include "userspace/http/http_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shunt {
namespace {

std::string Parsed(std::string_view text) {
  const absl::StatusOr<HttpAddress> address = HttpAddress::Parse(text, 10256);
  return address.ok() ? address->ToString() : std::string(address.status().message());
}

TEST(HttpAddress, ReadsAddressAndPortOfBothFamilies) {
  EXPECT_EQ(Parsed("192.0.2.1:80"), "192.0.2.1:80");
  EXPECT_EQ(Parsed("[fd00::1]:80"), "[fd00::1]:80");
  EXPECT_EQ(Parsed("[::]:10249"), "[::]:10249");
}

TEST(HttpAddress, AnAddressWithoutAPortGetsTheDefault) {
  EXPECT_EQ(Parsed("0.0.0.0"), "0.0.0.0:10256");
  EXPECT_EQ(Parsed("[fd00::1]"), "[fd00::1]:10256");
}

TEST(HttpAddress, Ipv6WithoutBracketsIsAnAddressAlone) {
  EXPECT_EQ(Parsed("fd00::1"), "[fd00::1]:10256");
  EXPECT_EQ(Parsed("::"), "[::]:10256");
}

TEST(HttpAddress, PortZeroAndWhatIsNoPortAreRefused) {
  EXPECT_EQ(Parsed("0.0.0.0:0"), "\"0\" is not a port (1 to 65535)");
  EXPECT_EQ(Parsed("0.0.0.0:65536"), "\"65536\" is not a port (1 to 65535)");
  EXPECT_EQ(Parsed("0.0.0.0:"), "\"\" is not a port (1 to 65535)");
  EXPECT_EQ(Parsed("0.0.0.0:http"), "\"http\" is not a port (1 to 65535)");
}

TEST(HttpAddress, NamesOfHostsAreRefusedWithAnExample) {
  for (const char* text : {"localhost:80", ":80", "", "[fd00::1", "[fd00::1]80", "1.2.3.4.5:80"}) {
    EXPECT_THAT(Parsed(text), testing::HasSubstr("is not ADDRESS:PORT, such as 0.0.0.0:10256"))
        << text;
  }
}

}  // namespace
}  // namespace shunt
