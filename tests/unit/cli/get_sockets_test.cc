// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/cli/cli_fixture.h"

namespace shunt {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class GetSockets : public CliFixture {
 protected:
  GetSockets() {
    agent_.sockets = std::vector<TranslatedSocket>{{.service = {"shop", "dns", "query", SHUNT_UDP},
                                                    .netns = 1,
                                                    .cookie = 4711,
                                                    .local = {Ip("10.244.1.5"), 40000},
                                                    .dialled = {Ip("10.96.0.53"), 53},
                                                    .backend = {Ip("10.244.1.9"), 5353},
                                                    .stale = true},
                                                   {.service = {"shop", "web", "", SHUNT_TCP},
                                                    .netns = 2,
                                                    .cookie = 4712,
                                                    .local = {Ip("fd00:1::5"), 40001},
                                                    .dialled = {Ip("fd00::10"), 80},
                                                    .backend = {Ip("fd00:1::9"), 8080}}};
  }
};

TEST_F(GetSockets, SaysWhoIsConnectedWhereThroughWhichService) {
  StartServer();
  EXPECT_EQ(Run({"get", "sockets", "-n", "shop"}).out,
            "SERVICE     NETNS   LOCAL               DIALLED         BACKEND            PROTOCOL   "
            "STATE\n"
            "dns:query   1       10.244.1.5:40000    10.96.0.53:53   10.244.1.9:5353    UDP        "
            "Stale\n"
            "web         2       [fd00:1::5]:40001   [fd00::10]:80   [fd00:1::9]:8080   TCP        "
            "Connected\n");
}

TEST_F(GetSockets, OfOneServiceAsJson) {
  StartServer();
  const json list = json::parse(Run({"get", "sockets", "shop/dns", "-o", "json"}).out);
  EXPECT_EQ(list["kind"], "SocketList");
  ASSERT_EQ(list["items"].size(), 1u);
  EXPECT_EQ(list["items"][0], json::parse(R"({"namespace": "shop", "service": "dns",
      "servicePort": "query", "protocol": "UDP", "netns": null, "netnsInode": 1, "cookie": 4711,
      "local": "10.244.1.5:40000", "dialled": "10.96.0.53:53", "backend": "10.244.1.9:5353",
      "state": "Stale"})"));
}

TEST_F(GetSockets, OfAServiceThatNobodyIsConnectedToIsAnError) {
  StartServer();
  const Result result = Run({"get", "sockets", "api", "-n", "shop"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("socket of service \"api\" not found"));
}

TEST_F(GetSockets, WithoutThePrivilegeSaysWhichIsMissing) {
  agent_.sockets = absl::PermissionDeniedError("run as root, or with CAP_BPF and CAP_PERFMON");
  StartServer();
  const Result result = Run({"get", "sockets", "-A"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("CAP_PERFMON"));
}

}  // namespace
}  // namespace shunt
