// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "tests/unit/cli/cli_fixture.h"
#include "tests/unit/planner/cluster_builder.h"
#include "userspace/base/netns.h"
#include "userspace/cli/target.h"

namespace shunt {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Explain : public CliFixture {
 protected:
  // An agent that serves shop/web with two of three endpoints.
  void Serve() {
    Service service = MakeService("web", {"10.96.0.10"});
    service.ports[0].name = "http";
    auto slice = MakeSlice("web-1", {Ready("10.244.1.5", "node-a"), Ready("10.244.2.7", "node-b"),
                                     NotReady("10.244.2.8", "node-b")});
    slice->ports[0].name = "http";
    agent_.inputs[InShop("web")] = Input(service, {slice});
    AgentView view = *agent_.Latest();
    view.node = {.name = "node-a"};
    view.socket_lb = "all";
    view.state = {{{"shop", "web", "http", SHUNT_TCP},
                   Port({Dialled("10.96.0.10", 80)},
                        {Serving("10.244.1.5", 8080), Serving("10.244.2.7", 8080)})}};
    view.problems = {{.object = "EndpointSlice shop/web-1",
                      .origin = "web.yaml:9",
                      .field = "endpoints[3].addresses[0]",
                      .message = "\"10.244.2.900\" is not an IP address"}};
    agent_.Publish(view);
    StartServer();
  }
};

TEST_F(Explain, AServiceTellsWhatBecameOfEachEndpoint) {
  Serve();
  const Result result = Run({"explain", "service", "shop/web"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out,
            "Name:       web\n"
            "Namespace:  shop\n"
            "Node:       node-a, zone unknown\n"
            "\n"
            "Port:       http TCP, IPv4\n"
            "Affinity:   none\n"
            "Gone pods:  keep the connections that they have\n"
            "Frontends:\n"
            "  Address             Kind        Policy    Clients   Result\n"
            "  10.96.0.10:80/TCP   ClusterIP   Cluster   all       one of 2\n"
            "Endpoints:\n"
            "  Address           Cluster     Node     EndpointSlice\n"
            "  10.244.1.5:8080   1 of 2      node-a   web-1\n"
            "  10.244.2.7:8080   1 of 2      node-b   web-1\n"
            "  10.244.2.8:8080   not ready   node-b   web-1\n"
            "\n"
            "Problems:\n"
            "  web.yaml:9: EndpointSlice shop/web-1: endpoints[3].addresses[0]: \"10.244.2.900\" "
            "is not an IP address\n");
}

TEST_F(Explain, AServiceAsJsonWithDocumentedFields) {
  Serve();
  const json out = json::parse(Run({"explain", "service", "shop/web", "-o", "json"}).out);
  EXPECT_EQ(out["kind"], "ServiceExplanation");
  EXPECT_EQ(out["notServed"], nullptr);
  const json& port = out["ports"][0];
  EXPECT_EQ(port["frontends"][0]["verdict"], "translated");
  EXPECT_EQ(port["frontends"][0]["owner"], nullptr);
  EXPECT_EQ(port["endpoints"][0]["clusterOneOf"], 2);
  EXPECT_EQ(port["endpoints"][2]["clusterFate"], "not ready");
  EXPECT_EQ(port["endpoints"][2]["clusterOneOf"], nullptr);
}

TEST_F(Explain, AServiceThatIsNotThereIsAnError) {
  Serve();
  const Result result = Run({"explain", "service", "shop/wep"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("there is no Service shop/wep"));
}

TEST_F(Explain, AConnectTellsTheChanceOfEachBackend) {
  Serve();
  const Result result = Run({"explain", "connect", "10.96.0.10:80", "--from-pod", "10.244.1.9"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out,
            "Dialled:    10.96.0.10:80/TCP\n"
            "Client:     a pod, 10.244.1.9\n"
            "Frontend:   ClusterIP of shop/web:http\n"
            "Policy:     Cluster: endpoints of all nodes\n"
            "For:        all\n"
            "Affinity:   none\n"
            "Endpoints:\n"
            "  Address           Chance      Node     EndpointSlice\n"
            "  10.244.1.5:8080   1 of 2      node-a   web-1\n"
            "  10.244.2.7:8080   1 of 2      node-b   web-1\n"
            "  10.244.2.8:8080   not ready   node-b   web-1\n"
            "Verdict:    translated: one of 2 backends, each with the same chance\n"
            "Seen:       connect() reaches the backend; getpeername() shows 10.96.0.10:80\n");
}

TEST_F(Explain, AConnectWorksWithoutAnAgentAndKnowsNoReasons) {
  const Result result =
      Run({"explain", "connect", "10.96.0.10:80", "--source", "maps", "-o", "json"});
  EXPECT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  EXPECT_EQ(out["verdict"], "translated");
  EXPECT_EQ(out["socketLb"], nullptr);
  EXPECT_EQ(out["endpoints"][0]["address"], "10.244.1.4");
  EXPECT_EQ(out["endpoints"][0]["oneOf"], nullptr) << "draining";
  EXPECT_EQ(out["endpoints"][1]["oneOf"], 2);
  EXPECT_EQ(out["endpoints"][1]["fate"], nullptr);
  EXPECT_EQ(Run({"explain", "service", "shop/web", "--source", "maps"}).code, 1);
}

TEST_F(Explain, AConnectToNobodySaysSo) {
  Serve();
  EXPECT_THAT(Run({"explain", "connect", "192.0.2.1:80"}).out,
              AllOf(HasSubstr("Frontend:   none"), HasSubstr("connect() goes on untouched")));
}

TEST_F(Explain, WrongTargetsAreWrongUsage) {
  for (const char* target : {"10.96.0.10", "10.96.0.10:0", "10.96.0.10:80/ICMP", "fd00::10:80",
                             "[fd00::10]", "web:80", "10.96.0.10:70000", ""}) {
    EXPECT_EQ(Run({"explain", "connect", target}).code, 2) << target;
  }
  EXPECT_EQ(Run({"explain", "connect"}).code, 2);
  EXPECT_EQ(Run({"explain", "connect", "10.96.0.10:80", "--from-pod", "x"}).code, 2);
  EXPECT_EQ(Run({"explain", "connect", "10.96.0.10:80", "--from-host", "--from-netns", "1"}).code,
            2);
}

TEST_F(Explain, APodOfTheOtherFamilyIsAnError) {
  const Result result = Run({"explain", "connect", "[fd00::10]:80", "--from-pod", "10.244.1.9"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.err, "shuntctl: --from-pod 10.244.1.9 dials no IPv6 address\n");
}

TEST_F(Explain, AProcessThatIsNotThereIsAnError) {
  const Result result = Run({"explain", "connect", "10.96.0.10:80", "--from-netns", "999999999"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("999999999"));
}

TEST(ParseTarget, ReadsWhatPeopleType) {
  EXPECT_EQ(ParseTarget("10.96.0.10:80")->ToString(), "10.96.0.10:80/TCP");
  EXPECT_EQ(ParseTarget("10.96.0.10:53/udp")->ToString(), "10.96.0.10:53/UDP");
  EXPECT_EQ(ParseTarget("[fd00::10]:80/SCTP")->ToString(), "[fd00::10]:80/SCTP");
}

// --- get affinity

TEST_F(Explain, AffinityNamesClientsAsPeopleKnowThem) {
  const ServicePortName web{"shop", "web", "http", SHUNT_TCP};
  const Backend backend{.address = Ip("10.244.1.5"), .port = 8080};
  agent_.clients = std::vector<AffinityClient>{
      {.service = web,
       .netns_cookie = OwnNetnsCookie(),
       .address = Ip("0.0.0.0"),
       .backend = backend,
       .idle_s = 60.5,
       .timeout_s = 10800},
      {.service = web,
       .netns_cookie = ~uint64_t{0},
       .address = Ip("::"),
       .idle_s = 99,
       .timeout_s = 10},
      {.service = web, .address = Ip("192.0.2.1"), .backend = backend, .timeout_s = 10}};
  StartServer();
  EXPECT_EQ(Run({"get", "affinity", "-n", "shop"}).out,
            "SERVICE    CLIENT                       FAMILY   BACKEND           IDLE    REMAINING\n"
            "web:http   host                         IPv4     10.244.1.5:8080   1m      2h58m59s\n"
            "web:http   netns 18446744073709551615   IPv6     gone              1m39s   expired\n"
            "web:http   192.0.2.1                    IPv4     10.244.1.5:8080   0s      10s\n");
  EXPECT_EQ(Run({"get", "affinity"}).out, "") << "namespace default";
  const json out = json::parse(Run({"get", "affinity", "shop/web", "-o", "json"}).out);
  EXPECT_EQ(out["kind"], "AffinityList");
  EXPECT_EQ(out["items"][0]["client"]["netns"], "host");
  EXPECT_EQ(out["items"][1]["backend"], nullptr);
  EXPECT_EQ(out["items"][1]["remainingSeconds"], 0);
}

TEST_F(Explain, AServiceOfSctpIsShownWithWhatTheSocketDoesNotSee) {
  agent_.PublishState({{{"shop", "sig", "", SHUNT_SCTP},
                        Port({Dialled("10.96.0.1", 80, SHUNT_SCTP)}, {Serving("10.1.1.1", 1)})}});
  StartServer();
  EXPECT_THAT(Run({"get", "services", "-A"}).out, HasSubstr("1 (SCTP: not seen at the socket)"));
  EXPECT_THAT(Run({"describe", "service", "shop/sig"}).out, HasSubstr("not seen at the socket"));
}

// --- opt-out

TEST_F(Explain, OptOutsNeedPinnedMaps) {
  for (const char* command : {"add", "remove"}) {
    EXPECT_EQ(Run({"opt-out", command, "/proc"}).code, 1) << "no cgroup";
    EXPECT_EQ(Run({"opt-out", command}).code, 2);
  }
  EXPECT_EQ(Run({"opt-out", "list"}).code, 1);
  EXPECT_THAT(Run({"opt-out", "remove", "17"}).err, Not(HasSubstr("cgroup")))
      << "a number is an id, and what is missing is the map";
}

}  // namespace
}  // namespace shunt
