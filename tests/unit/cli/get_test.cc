// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "tests/unit/cli/cli_fixture.h"
#include "userspace/state/dump.h"

namespace shunt {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Get : public CliFixture {};

TEST_F(Get, ServicesOfANamespaceAsAnAlignedTable) {
  StartServer();
  const Result result = Run({"get", "services", "-n", "shop"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out,
            "NAME   PORT     FRONTENDS                             BACKENDS\n"
            "dns    <none>   10.96.0.11:53/UDP                     0\n"
            "web    http     10.96.0.10:80/TCP,[fd00::10]:80/TCP   3\n");
}

TEST_F(Get, ServicesOfAllNamespacesNameTheirNamespace) {
  StartServer();
  EXPECT_THAT(Run({"get", "svc", "-A"}).out, AllOf(HasSubstr("NAMESPACE"), HasSubstr("shop ")));
}

TEST_F(Get, ServicesWithoutHeadersForScripts) {
  StartServer();
  EXPECT_THAT(Run({"get", "services", "-A", "--no-headers"}).out, Not(HasSubstr("NAME")));
}

TEST_F(Get, ServicesLooksInNamespaceDefaultAsKubectlDoesAndSaysSo) {
  StartServer();
  const Result result = Run({"get", "services"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "No resources found in namespace \"default\" (-A shows those of all).\n");
}

TEST_F(Get, AnEmptyListIsValidJson) {
  StartServer();
  const Result result = Run({"get", "services", "-o", "json"});
  EXPECT_EQ(json::parse(result.out)["items"], json::array());
}

TEST_F(Get, AServiceByNameInEitherSpelling) {
  StartServer();
  const Result result = Run({"get", "services", "shop/web"});
  EXPECT_THAT(result.out, AllOf(HasSubstr("10.96.0.10:80/TCP"), Not(HasSubstr("dns"))));
  EXPECT_EQ(Run({"get", "services", "web", "-n", "shop"}).out, result.out);
  EXPECT_EQ(Run({"-n", "shop", "get", "service", "web"}).out, result.out);
}

TEST_F(Get, AServiceWhoseNameIsACommand) {
  agent_.PublishState({{{"default", "status", "", SHUNT_TCP}, Port({}, {})}});
  StartServer();
  EXPECT_THAT(Run({"get", "services", "status"}).out, HasSubstr("status"));
}

TEST_F(Get, AServiceThatIsNotThereIsAnError) {
  StartServer();
  const Result result = Run({"get", "services", "wep", "-n", "shop"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "shuntctl: service \"wep\" not found in namespace \"shop\"\n");
}

TEST_F(Get, ServicesAsJsonWithDocumentedFields) {
  StartServer();
  const json list = json::parse(Run({"get", "services", "-A", "-o", "json"}).out);
  EXPECT_EQ(list["apiVersion"], "shunt.v1");
  EXPECT_EQ(list["kind"], "ServicePortList");
  const json& web = list["items"][1];
  EXPECT_EQ(web["namespace"], "shop");
  EXPECT_EQ(web["port"], "http");
  EXPECT_EQ(web["frontends"][1], json::parse(R"({"address": "fd00::10", "port": 80,
      "protocol": "TCP", "kind": "ClusterIP", "scope": "Node", "hostOnly": false,
      "checksSource": false, "trafficPolicy": "Cluster", "indexRule": "Random",
      "whenEmpty": "no_endpoint", "backends": 1, "seenAtSocket": true})"));
  EXPECT_EQ(web["backends"][0], json::parse(R"({"address": "10.244.1.4", "port": 8080,
      "state": "Draining", "lists": []})"));
  EXPECT_EQ(web["backends"][1]["state"], "Serving");
}

TEST_F(Get, BackendsByServiceWithTheirState) {
  StartServer();
  EXPECT_EQ(Run({"get", "backends", "-n", "shop"}).out,
            "SERVICE    BACKEND            PROTOCOL   STATE\n"
            "web:http   10.244.1.4:8080    TCP        Draining\n"
            "web:http   10.244.1.5:8080    TCP        Serving\n"
            "web:http   10.244.2.7:8080    TCP        Serving\n"
            "web:http   [fd00:1::5]:8080   TCP        Serving\n");
}

TEST_F(Get, BackendsThatOnlyLocalTrafficMayChooseAreShownSo) {
  ServicePortState state{
      .frontends = {Dialled("10.96.0.1", 80)},
      .backends = {{.address = Ip("10.1.1.1"), .port = 1, .in_local_list = true}}};
  state.frontends[0].list = BackendList::kLocal;
  agent_.PublishState({{{"shop", "web", "", SHUNT_TCP},
                        std::make_shared<const ServicePortState>(std::move(state))}});
  StartServer();
  const json list = json::parse(Run({"get", "backends", "-A", "-o", "json"}).out);
  EXPECT_EQ(list["items"][0]["lists"], json::array({"Local"}));
  EXPECT_EQ(list["items"][0]["state"], "Serving");
}

TEST_F(Get, MapsSayHowFullTheyAreWhereTheKernelTells) {
  agent_.maps = std::vector<MapInfo>{
      {.name = "shunt_frontends",
       .type = "hash",
       .key_size = 20,
       .value_size = 24,
       .entries = 65536,
       .max_entries = 262144,
       .memory_bytes = 3 << 20},
      {.name = "shunt_socket", .type = "sk_storage", .key_size = 4, .value_size = 56}};
  StartServer();
  EXPECT_EQ(Run({"get", "maps"}).out,
            "NAME              TYPE         KEY   VALUE   ENTRIES   MAX      USED     MEMORY\n"
            "shunt_frontends   hash         20    24      65536     262144   25.0%    3.0Mi\n"
            "shunt_socket      sk_storage   4     56      <none>    <none>   <none>   0\n");
}

TEST_F(Get, ProgramsSayWhatARunCosts) {
  agent_.programs = std::vector<ProgramInfo>{{.name = "shunt_connect4",
                                              .hook = "connect4",
                                              .tag = "0123",
                                              .verified_instructions = 500,
                                              .run_count = 10,
                                              .run_time_ns = 450}};
  StartServer();
  EXPECT_THAT(Run({"get", "programs"}).out, HasSubstr("10     45\n"));
}

TEST_F(Get, MapsOfNobodyIsAnErrorInTheWordsOfTheAgent) {
  agent_.maps = absl::PermissionDeniedError("shunt_frontends: Operation not permitted");
  StartServer();
  const Result result = Run({"get", "maps"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("shunt_frontends: Operation not permitted"));
}

TEST_F(Get, NamesWithOddBytesNeitherBreakTheTableNorDriveTheTerminal) {
  variables_["SHUNT_SOCKET"] = directory_ + "/none";  // bytes can only come from maps
  maps_ = {{{"a\x1b[31m", "\xff", "x\ny", SHUNT_TCP}, Port({}, {})}};
  const Result result = Run({"get", "services", "-A"});
  EXPECT_EQ(result.out,
            "NAMESPACE   NAME   PORT   FRONTENDS   BACKENDS\n"
            "a\\x1b[31m   \\xff   x\\ny   <none>      0\n");
  EXPECT_THAT(Run({"dump"}).out, Not(HasSubstr("\x1b")));
  const json list = json::parse(Run({"get", "services", "-A", "-o", "json"}).out);
  EXPECT_EQ(list["items"][0]["namespace"], "a\x1b[31m");
}

TEST_F(Get, DumpPrintsExactlyTheTableOfTheState) {
  StartServer();
  EXPECT_EQ(Run({"dump"}).out, Dump(Shop()));
}

}  // namespace
}  // namespace shunt
