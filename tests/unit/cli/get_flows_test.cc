// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/cli/cli_fixture.h"

namespace shunt {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class GetFlows : public CliFixture {
 protected:
  GetFlows() {
    agent_.flows = std::vector<PacketFlow>{{.service = {"shop", "dns", "", SHUNT_UDP},
                                            .client = {Ip("192.0.2.9"), 5353},
                                            .dialled = {Ip("192.0.2.1"), 30053},
                                            .backend = {Ip("10.244.1.9"), 53},
                                            .seen_as = {},
                                            .state = FlowState::kUnanswered,
                                            .idle_s = 1.2,
                                            .expires_s = 28.8},
                                           {.service = {"shop", "web", "http", SHUNT_TCP},
                                            .client = {Ip("2001:db8::9"), 40001},
                                            .dialled = {Ip("fd00::10"), 80},
                                            .backend = {Ip("fd00:1::9"), 8080},
                                            .seen_as = SocketEnd{Ip("2001:db8::1"), 1234},
                                            .state = FlowState::kEstablished,
                                            .idle_s = 75,
                                            .expires_s = 3600}};
  }

  std::string ServicesOf(const std::vector<std::string>& options) {
    std::vector<std::string> words = {"get", "flows", "-A", "-o", "json"};
    words.insert(words.end(), options.begin(), options.end());
    const json list = json::parse(Run(words).out);
    std::string services;
    for (const json& flow : list["items"]) {
      services += flow["service"].get<std::string>() + " ";
    }
    return services;
  }
};

TEST_F(GetFlows, SaysWhosePacketsGoWhereAndAsWhom) {
  StartServer();
  EXPECT_EQ(Run({"get", "flows", "-n", "shop", "-o", "wide"}).out,
            "SERVICE    PROTOCOL   CLIENT                DIALLED           BACKEND            "
            "SEEN AS              STATE         IDLE    EXPIRES IN\n"
            "dns        UDP        192.0.2.9:5353        192.0.2.1:30053   10.244.1.9:53      "
            "<none>               Unanswered    1s      28s\n"
            "web:http   TCP        [2001:db8::9]:40001   [fd00::10]:80     [fd00:1::9]:8080   "
            "[2001:db8::1]:1234   Established   1m15s   1h\n");
}

TEST_F(GetFlows, OfOneServiceAsJson) {
  StartServer();
  const json list = json::parse(Run({"get", "flows", "shop/dns", "-o", "json"}).out);
  EXPECT_EQ(list["kind"], "FlowList");
  ASSERT_EQ(list["items"].size(), 1u);
  EXPECT_EQ(list["items"][0], json::parse(R"({"namespace": "shop", "service": "dns",
      "servicePort": "", "protocol": "UDP", "client": "192.0.2.9:5353",
      "dialled": "192.0.2.1:30053", "backend": "10.244.1.9:53", "seenAs": null,
      "state": "Unanswered", "idleSeconds": 1.2, "expiresInSeconds": 28.8})"));
}

TEST_F(GetFlows, AreFilteredByAddressProtocolAndState) {
  StartServer();
  EXPECT_EQ(ServicesOf({}), "dns web ");
  EXPECT_EQ(ServicesOf({"--address", "192.0.2.9"}), "dns ") << "client";
  EXPECT_EQ(ServicesOf({"--address", "fd00::10"}), "web ") << "dialled";
  EXPECT_EQ(ServicesOf({"--address", "10.244.0.0/16"}), "dns ") << "backend";
  EXPECT_EQ(ServicesOf({"--address", "2001:db8::1"}), "web ") << "seen as";
  EXPECT_EQ(ServicesOf({"--address", "203.0.113.1"}), "");
  EXPECT_EQ(ServicesOf({"--protocol", "UDP"}), "dns ");
  EXPECT_EQ(ServicesOf({"--state", "Established"}), "web ");
  EXPECT_EQ(ServicesOf({"--state", "Established", "--protocol", "UDP"}), "");
}

TEST_F(GetFlows, OfWhatIsNoAddressOrStateIsWrongUsage) {
  StartServer();
  for (const auto& [option, value] : {std::pair("--address", "10.0.0.0/33"),
                                      {"--address", "web"},
                                      {"--state", "Open"},
                                      {"--protocol", "GRE"}}) {
    EXPECT_EQ(Run({"get", "flows", "-A", option, value}).code, 2) << option << " " << value;
  }
}

TEST_F(GetFlows, WhereNoPacketsAreServedSaysHowToServeThem) {
  agent_.flows = absl::FailedPreconditionError("packets are not served here (shuntd --packets on)");
  StartServer();
  const Result result = Run({"get", "flows", "-A"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("--packets on"));
}

}  // namespace
}  // namespace shunt
