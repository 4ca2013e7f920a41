// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "shunt/limits.h"
#include "tests/e2e/agent_test.h"
#include "tests/support/cgroup.h"
#include "tests/support/net_namespace.h"
#include "userspace/base/cgroup.h"
#include "userspace/datapath/opt_outs.h"

namespace shunt::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Asks the real agent why, and the kernel whether that is so.
class Explain : public AgentTest {
 protected:
  json Ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "explain");
    arguments.insert(arguments.end(), {"-o", "json"});
    const CommandResult result = Ctl(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  }

  // What is said of a connect is what becomes of it.
  void ExpectExplained(const HostPort& to, const std::string& verdict) {
    const json explained = Ask({"connect", to.ToString()});
    EXPECT_EQ(explained["verdict"], verdict) << explained["reason"];
    const DialResult dialled = Dial(to);
    if (explained["error"].is_null()) {
      EXPECT_TRUE(Backends(explained).contains(dialled.answer)) << dialled.ToString();
    } else {
      EXPECT_EQ(dialled.error, ErrorOf(explained["error"])) << dialled.ToString();
    }
  }

  static int ErrorOf(const std::string& name) {
    return name == "ECONNREFUSED" ? ECONNREFUSED : name == "ETIMEDOUT" ? ETIMEDOUT : -1;
  }

  // "10.244.1.1:8080" of those that have a chance.
  static std::set<std::string> Backends(const json& explained) {
    std::set<std::string> backends;
    for (const json& endpoint : explained["endpoints"]) {
      if (endpoint["oneOf"].is_null()) continue;
      backends.insert(
          absl::StrCat(endpoint["address"].get<std::string>(), ":", endpoint["port"].get<int>()));
    }
    return backends;
  }

  // shop/web with pods 0 (node-a), 1 (node-b) and 2 (node-b, not ready).
  void WriteWeb(const std::string& spec, const std::string& node_of_first = "node-a") {
    Write("web.yaml",
          absl::StrCat("apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
                       "spec:\n  clusterIP: 10.96.0.10\n  ports: [{name: http, port: 80",
                       spec, "---\n", Slice(node_of_first)));
  }

  static std::string Slice(const std::string& node_of_first) {
    return absl::StrCat(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
        "metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}\n"
        "addressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints:\n"
        "- {addresses: [10.244.1.1], nodeName: ",
        node_of_first,
        "}\n"
        "- {addresses: [10.244.1.2], nodeName: node-b}\n"
        "- {addresses: [10.244.1.3], nodeName: node-b, conditions: {ready: false}}\n"
        "- {addresses: [10.244.1.300], nodeName: node-b}\n");
  }
};

TEST_F(Explain, TheClusterPolicyReachesAllThatAreReady) {
  WriteWeb("}]\n");
  StartAgent();
  ExpectExplained(vip_, "translated");
  EXPECT_EQ(Backends(Ask({"connect", "10.96.0.10:80"})),
            (std::set<std::string>{"10.244.1.1:8080", "10.244.1.2:8080"}));
  EXPECT_THAT(Ctl({"explain", "service", "shop/web"}).out,
              AllOf(HasSubstr("not ready"), HasSubstr("endpoints[3].addresses[0]")))
      << "an endpoint that could not be read is found under its Service";
}

TEST_F(Explain, TheInternalPolicyLocalReachesThisNodeAlone) {
  WriteWeb("}]\n  internalTrafficPolicy: Local\n");
  StartAgent();
  ExpectExplained(vip_, "translated");
  const json explained = Ask({"connect", "10.96.0.10:80"});
  EXPECT_EQ(Backends(explained), std::set<std::string>{"10.244.1.1:8080"});
  EXPECT_EQ(explained["endpoints"][1]["fate"], "on another node");
}

TEST_F(Explain, TheInternalPolicyLocalWithoutAnyOnThisNodeIsDropped) {
  WriteWeb("}]\n  internalTrafficPolicy: Local\n", "node-b");
  StartAgent();
  ExpectExplained(vip_, "no_local_endpoint");
}

TEST_F(Explain, TheExternalPolicyLocalIsForWhatComesFromOutside) {
  WriteWeb(
      "}]\n  type: LoadBalancer\n  externalTrafficPolicy: Local\nstatus: {loadBalancer: "
      "{ingress: [{ip: 203.0.113.5}]}}\n");
  StartAgent();
  ExpectExplained(HostPort::Of("203.0.113.5:80"), "translated");
  const json port = Ask({"service", "shop/web"})["ports"][0];
  EXPECT_EQ(port["endpoints"][1]["clusterOneOf"], 2);
  EXPECT_EQ(port["endpoints"][1]["localFate"], "on another node");
}

TEST_F(Explain, ARefusalSaysWhetherThePortOrTheEndpointsAreMissing) {
  Write("none.yaml", {"none", other_vip_, {}});
  StartAgent();
  ExpectExplained(other_vip_, "no_endpoint");
  ExpectExplained(HostPort::Of("10.96.0.11:81"), "no_port");
}

TEST_F(Explain, APodIsDeniedWhereTheSourceRangesNameAnother) {
  WriteWeb(
      "}]\n  type: LoadBalancer\n  loadBalancerSourceRanges: [10.244.9.9/32]\nstatus: "
      "{loadBalancer: {ingress: [{ip: 203.0.113.5}]}}\n");
  StartAgent();
  const HostPort balancer = HostPort::Of("203.0.113.5:80");
  const auto verdict = [&](const std::string& pod) {
    return Ask({"connect", balancer.ToString(), "--from-pod", pod})["verdict"];
  };
  EXPECT_EQ(verdict("10.244.9.9"), "translated");
  EXPECT_EQ(verdict("10.244.9.8"), "source_denied");
  ExpectExplained(balancer, "source_denied");  // the host has no such address
}

TEST_F(Explain, AProcessIsKnownByItsNamespaceAsTheProgramsKnowIt) {
  WriteWeb(
      "}]\n  type: LoadBalancer\n  loadBalancerSourceRanges: [10.244.9.9/32]\n"
      "  sessionAffinity: ClientIP\nstatus: {loadBalancer: {ingress: [{ip: 203.0.113.5}]}}\n");
  StartAgent();
  absl::StatusOr<NetNamespace> pod = NetNamespace::Make();
  ASSERT_TRUE(pod.ok() && pod->ConnectPod("shunt-e1", *IpAddress::Parse("10.244.9.9")).ok());
  json before, after;
  DialResult dialled;
  pod->Run([&] {
    const std::vector<std::string> question = {"connect", "203.0.113.5:80", "--from-netns",
                                               absl::StrCat(gettid())};
    before = Ask(question);
    dialled = Dial(HostPort::Of("203.0.113.5:80"));
    after = Ask(question);
  });
  EXPECT_EQ(before["client"]["pod"], true);
  EXPECT_EQ(before["client"]["address"], "10.244.9.9");
  EXPECT_EQ(before["verdict"], "translated");
  EXPECT_TRUE(before["kept"].is_null());
  EXPECT_TRUE(Backends(before).contains(dialled.answer)) << dialled.ToString();
  ASSERT_FALSE(after["kept"].is_null());
  EXPECT_EQ(absl::StrCat(after["kept"]["address"].get<std::string>(), ":8080"), dialled.answer);
}

TEST_F(Explain, WithSocketLbHostAPodIsLeftAloneAndTheHostIsNot) {
  WriteWeb("}]\n");
  const auto agent = Launch({"--socket-lb", "host"});
  ExpectServedBy(vip_, pods_[0]);
  ExpectExplained(vip_, "translated");
  EXPECT_EQ(Ask({"connect", "10.96.0.10:80", "--from-pod", "10.244.9.9"})["verdict"], "left_alone");
}

TEST_F(Explain, AClientWithAffinityIsToldItsBackend) {
  WriteWeb("}]\n  sessionAffinity: ClientIP\n");
  StartAgent();
  const std::string answer = Dial(vip_).answer;
  for (const char* source : {"agent", "maps"}) {
    const json explained = Ask(
        {"connect", "10.96.0.10:80", "--from-netns", absl::StrCat(getpid()), "--source", source});
    ASSERT_FALSE(explained["kept"].is_null()) << source;
    EXPECT_EQ(absl::StrCat(explained["kept"]["address"].get<std::string>(), ":8080"), answer);
    const CommandResult list = Ctl({"get", "affinity", "-n", "shop", "--source", source});
    EXPECT_THAT(list.out, AllOf(HasSubstr("web:http"), HasSubstr("host"), HasSubstr(answer)));
  }
}

TEST_F(Explain, WithoutAnAgentAConnectIsExplainedAndAServiceIsNot) {
  WriteWeb("}]\n");
  StartAgent();
  EndAgent(SIGKILL);
  ExpectExplained(vip_, "translated");
  const CommandResult service = Ctl({"explain", "service", "shop/web"});
  EXPECT_EQ(service.exit_code, 1);
  EXPECT_THAT(service.err, HasSubstr("needs an agent"));
}

class OptOut : public Explain {};

TEST_F(OptOut, ACgroupThatOptedOutIsLeftAloneUntilItIsRemoved) {
  WriteWeb("}]\n");
  StartAgent();
  const std::string self = absl::StrCat(getpid());
  ASSERT_NE(Dial(vip_).answer, "");
  ASSERT_EQ(Ctl({"opt-out", "add", cgroup()}).exit_code, 0);
  EXPECT_EQ(Dial(vip_).error, ENETUNREACH);
  EXPECT_EQ(Ask({"connect", "10.96.0.10:80", "--from-netns", self})["verdict"], "left_alone");
  EXPECT_THAT(Ctl({"opt-out", "list"}).out, HasSubstr(cgroup()));
  ASSERT_EQ(Ctl({"opt-out", "remove", cgroup()}).exit_code, 0);
  EXPECT_EQ(Ask({"connect", "10.96.0.10:80", "--from-netns", self})["verdict"], "translated");
  EXPECT_NE(Dial(vip_).answer, "");
}

TEST_F(OptOut, ACgroupThatIsGoneIsShownSoAndCanBeRemovedByItsId) {
  StartAgent();
  const std::string pod = cgroup() + "/pod";
  ASSERT_TRUE(MakeCgroup(pod).ok());
  ASSERT_EQ(Ctl({"opt-out", "add", pod}).exit_code, 0);
  const uint64_t id = CgroupId(pod).value();
  ASSERT_TRUE(RemoveCgroup(pod).ok());
  EXPECT_THAT(Ctl({"opt-out", "list"}).out, HasSubstr("<gone>"));
  EXPECT_EQ(Ctl({"opt-out", "remove", absl::StrCat(id)}).exit_code, 0);
  EXPECT_THAT(Ctl({"opt-out", "list"}).out, Not(HasSubstr("gone")));
}

TEST_F(OptOut, WhoeverIsGoneMakesRoomWhereTheTableIsFull) {
  StartAgent();
  const std::string pod = cgroup() + "/pod", next = cgroup() + "/next";
  for (int i = 0; i < SHUNT_MAX_OPT_OUTS; ++i) {
    ASSERT_EQ(mkdir(pod.c_str(), 0755), 0);
    ASSERT_TRUE(AddOptOut(bpffs(), pod).ok()) << i;
    ASSERT_EQ(rmdir(pod.c_str()), 0);
  }
  ASSERT_TRUE(MakeCgroup(next).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(AddOptOut(bpffs(), next)));
  EXPECT_EQ(Ctl({"opt-out", "add", next}).exit_code, 0);
  EXPECT_EQ(ReadOptOuts(bpffs())->size(), 1u);
}

}  // namespace
}  // namespace shunt::testing
