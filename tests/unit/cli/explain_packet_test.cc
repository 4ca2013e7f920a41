// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/cli/cli_fixture.h"

namespace shunt {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class ExplainPacket : public CliFixture {
 protected:
  json Explained(const std::string& from, const std::string& to) {
    const Result result = Run({"explain", "packet", from, to, "-o", "json"});
    EXPECT_EQ(result.code, 0) << result.err;
    return json::parse(result.out);
  }
};

TEST_F(ExplainPacket, SaysStepByStepWhatBecomesOfIt) {
  StartServer();
  EXPECT_EQ(Run({"explain", "packet", "192.0.2.9:40000", "10.96.0.10:80"}).out,
            "Packet:     192.0.2.9:40000 to 10.96.0.10:80/TCP\n"
            "Flow:       none: it begins one\n"
            "Frontend:   ClusterIP of shop/web:http\n"
            "Policy:     Cluster\n"
            "For:        all\n"
            "Affinity:   none\n"
            "Backends:\n"
            "  Address           Chance   Sees\n"
            "  10.244.1.5:8080   1 of 2   an address of this node\n"
            "  10.244.2.7:8080   1 of 2   an address of this node\n"
            "Verdict:    translated: one of 2 backends, each with the same chance\n"
            "Fate:       it goes on to the backend; what that answers comes from whom the client "
            "dialled\n");
}

TEST_F(ExplainPacket, OfAFlowGoesWhereThatGoes) {
  agent_.flows = std::vector<PacketFlow>{{.service = {"shop", "web", "http", SHUNT_TCP},
                                          .client = {Ip("192.0.2.9"), 40000},
                                          .dialled = {Ip("10.96.0.10"), 80},
                                          .backend = {Ip("10.244.2.7"), 8080},
                                          .seen_as = SocketEnd{Ip("198.51.100.1"), 1234},
                                          .state = FlowState::kEstablished}};
  StartServer();
  const json explained = Explained("192.0.2.9:40000", "10.96.0.10:80");
  EXPECT_EQ(explained["verdict"], "continued");
  EXPECT_EQ(explained["flow"]["backend"], "10.244.2.7:8080");
  EXPECT_THAT(Run({"explain", "packet", "192.0.2.9:40000", "10.96.0.10:80"}).out,
              HasSubstr("Established, to 10.244.2.7:8080, which sees 198.51.100.1:1234"));
  EXPECT_EQ(Explained("192.0.2.9:40001", "10.96.0.10:80")["verdict"], "translated");
}

TEST_F(ExplainPacket, WithoutAnEndpointIsRefused) {
  StartServer();
  const json explained = Explained("192.0.2.9:40000", "10.96.0.11:53/UDP");
  EXPECT_EQ(explained["verdict"], "no_endpoint");
  EXPECT_THAT(explained["fate"].get<std::string>(), HasSubstr("ICMP port unreachable"));
}

TEST_F(ExplainPacket, ToNobodyGoesOnUntouched) {
  StartServer();
  EXPECT_EQ(Explained("192.0.2.9:40000", "203.0.113.1:80")["verdict"], "not_a_service");
  EXPECT_THAT(Explained("127.0.0.1:40000", "10.96.0.10:80")["reason"].get<std::string>(),
              HasSubstr("nobody can be answered"));
}

TEST_F(ExplainPacket, WherePacketsAreNotServedSaysSo) {
  agent_.flows = absl::FailedPreconditionError("packets are not served here (shuntd --packets on)");
  StartServer();
  const json explained = Explained("192.0.2.9:40000", "10.96.0.10:80");
  EXPECT_EQ(explained["verdict"], "not_a_service");
  EXPECT_THAT(explained["reason"].get<std::string>(), HasSubstr("--packets on"));
}

TEST_F(ExplainPacket, BetweenTwoFamiliesIsAnError) {
  StartServer();
  const Result result = Run({"explain", "packet", "192.0.2.9:40000", "[fd00::10]:80"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("different families"));
  EXPECT_EQ(Run({"explain", "packet", "192.0.2.9", "10.96.0.10:80"}).code, 2);
  EXPECT_EQ(Run({"explain", "packet", "192.0.2.9:40000"}).code, 2);
}

}  // namespace
}  // namespace shunt
