// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/e2e/agent_test.h"
#include "tests/support/command.h"
#include "tests/support/files.h"
#include "tests/support/net_namespace.h"

namespace shunt::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What the agent makes of a Service beyond its ClusterIP, and of its host.
class Services : public AgentTest {
 protected:
  // A pod at 10.244.9.9, in a network namespace of its own.
  NetNamespace MakePod() {
    absl::StatusOr<NetNamespace> pod = NetNamespace::Make();
    EXPECT_TRUE(pod.ok()) << pod.status();
    const absl::Status connected = pod->ConnectPod("shunt-e0", *IpAddress::Parse("10.244.9.9"));
    EXPECT_TRUE(connected.ok()) << connected;
    return *std::move(pod);
  }

  DialResult DialFrom(const NetNamespace& pod, const HostPort& to) {
    DialResult result;
    pod.Run([&] { result = Dial(to); });
    return result;
  }

  void AddHostAddress(const std::string& address) {
    ASSERT_TRUE(AddLoopbackAddresses({*IpAddress::Parse(address)}).ok());
  }

  const HostPort node_port_ = HostPort::Of("192.0.2.1:30080");
};

TEST_F(Services, ANodePortIsReachedFromTheHostAndFromPods) {
  AddHostAddress("192.0.2.1");
  Write("web.yaml", {.name = "web",
                     .vip = vip_,
                     .pods = {pods_[0]},
                     .node_port = 30080,
                     .more = "  type: NodePort\n"});
  StartAgent();
  const NetNamespace pod = MakePod();
  EXPECT_EQ(Dial(node_port_).answer, pods_[0].ToString());
  EXPECT_EQ(DialFrom(pod, node_port_).answer, pods_[0].ToString());
}

TEST_F(Services, ANodePortFollowsTheAddressesOfTheHost) {
  Write("web.yaml", {.name = "web",
                     .vip = vip_,
                     .pods = {pods_[0]},
                     .node_port = 30080,
                     .more = "  type: NodePort\n"});
  StartAgent();
  EXPECT_NE(Dial(node_port_).error, 0);
  AddHostAddress("192.0.2.1");
  ExpectServedBy(node_port_, pods_[0]);
  ASSERT_TRUE(MustRun({"ip", "addr", "del", "192.0.2.1/32", "dev", "lo"}).ok());
  ExpectEventually("the node port goes with its address",
                   [&] { return Dial(node_port_).answer != pods_[0].ToString(); });
}

TEST_F(Services, LoopbackAtANodePortIsForTheHostAloneAndChangesNoSysctl) {
  Write("web.yaml", {.name = "web",
                     .vip = vip_,
                     .pods = {pods_[0]},
                     .node_port = 30080,
                     .more = "  type: NodePort\n"});
  const std::string sysctl = "/proc/sys/net/ipv4/conf/all/route_localnet";
  const std::string before = *ReadFile(sysctl);
  StartAgent();
  const NetNamespace pod = MakePod();
  const HostPort loopback = HostPort::Of("127.0.0.1:30080");
  EXPECT_EQ(Dial(loopback).answer, pods_[0].ToString());
  EXPECT_EQ(DialFrom(pod, loopback).error, ECONNREFUSED);
  EXPECT_EQ(*ReadFile(sysctl), before);
}

TEST_F(Services, NodePortAddressesAreThoseThatTheOptionAllows) {
  AddHostAddress("192.0.2.1");
  AddHostAddress("198.51.100.1");
  Write("web.yaml", {.name = "web",
                     .vip = vip_,
                     .pods = {pods_[0]},
                     .node_port = 30080,
                     .more = "  type: NodePort\n"});
  const auto agent = Launch({"--nodeport-addresses", "192.0.2.0/24"});
  ExpectServedBy(node_port_, pods_[0]);
  EXPECT_NE(Dial(HostPort::Of("198.51.100.1:30080")).error, 0);
  EXPECT_NE(Dial(HostPort::Of("127.0.0.1:30080")).error, 0);
}

TEST_F(Services, AMistakeInAnOptionIsNamed) {
  const CommandResult result =
      Agent({"--manifests", manifests(), "--nodeport-addresses", "10.0.0.0/40"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("nodePortAddresses: \"10.0.0.0/40\" is not a CIDR"));
}

TEST_F(Services, AffinitySurvivesARestartOfTheAgent) {
  Write("web.yaml",
        {.name = "web", .vip = vip_, .pods = pods_, .more = "  sessionAffinity: ClientIP\n"});
  StartAgent();
  const std::string had = Dial(vip_).answer;
  EndAgent(SIGKILL);
  StartAgent();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Dial(vip_).answer, had);
}

TEST_F(Services, SourceRangesThatChangeNeverLetADeniedClientIn) {
  AddHostAddress("192.0.2.7");
  AddHostAddress("192.0.2.9");
  const auto service = [&](const std::string& ranges) {
    return ManifestSpec{
        .name = "web",
        .vip = vip_,
        .pods = {pods_[0]},
        .more = absl::StrCat("  type: LoadBalancer\n  loadBalancerSourceRanges: [", ranges,
                             "]\nstatus:\n  loadBalancer: {ingress: [{ip: "
                             "203.0.113.5}]}\n")};
  };
  const HostPort balancer = HostPort::Of("203.0.113.5:80");
  const auto dial_from = [&](const std::string& source) {
    return Dial(balancer, {.source = *IpAddress::Parse(source)});
  };
  Write("web.yaml", service("192.0.2.7/32"));
  StartAgent();
  ASSERT_EQ(dial_from("192.0.2.7").answer, pods_[0].ToString());
  std::atomic<bool> stop = false;
  std::atomic<int> entered = 0, denied = 0;
  std::thread intruder([&] {
    while (!stop) ++(dial_from("192.0.2.9").error == 0 ? entered : denied);
  });
  for (int i = 0; i < 30; ++i) {
    Write("web.yaml", service(i % 2 == 0 ? "192.0.2.0/29, 198.51.100.0/24" : "192.0.2.7/32"));
    const int seen = denied;
    ExpectEventually("the intruder goes on", [&] { return denied > seen + 20; });
  }
  stop = true;
  intruder.join();
  EXPECT_EQ(entered, 0);
}

TEST_F(Services, StatusWarnsOfAClusterIpThatIsTheHosts) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  StartAgent();
  EXPECT_THAT(Ctl({"status"}).out, Not(HasSubstr("address of this host")));
  AddHostAddress("10.96.0.10");
  ExpectEventually("a warning", [&] {
    return Ctl({"status"})
               .out.find(
                   "the ClusterIP 10.96.0.10 of Service shop/web is an address of this host") !=
           std::string::npos;
  });
}

TEST_F(Services, WithSocketLbHostPodsDialTheClusterIpItself) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  const auto agent = Launch({"--socket-lb", "host"});
  ExpectServedBy(vip_, pods_[0]);
  const NetNamespace pod = MakePod();
  EXPECT_NE(DialFrom(pod, vip_).answer, pods_[0].ToString());
  EXPECT_THAT(Ctl({"status"}).out, HasSubstr("host"));
}

}  // namespace
}  // namespace shunt::testing
