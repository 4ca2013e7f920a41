// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/agent_test.h"
#include "tests/e2e/client.h"
#include "tests/support/command.h"

namespace shunt::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Mistakes in one file: it is named, and everybody else is served.
class BadInput : public AgentTest {
 protected:
  // Waits until `shuntctl status` says all of it.
  void ExpectStatusSays(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      ExpectEventually("status says " + text, [&] {
        const CommandResult result = Ctl({"status"});
        return absl::StrContains(result.out, text);
      });
    }
  }
};

TEST_F(BadInput, ATypoKeepsTheLastGoodStateAndIsShownWithItsFile) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  Write("api.yaml", {"api", other_vip_, {pods_[1]}});
  StartAgent();
  Write("web.yaml", "kind: Service\n  metadata: [broken\n");
  ExpectStatusSays({"web.yaml"});
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString()) << "what was good still serves";
  Write("api.yaml", {"api", other_vip_, {pods_[2]}});
  ExpectServedBy(other_vip_, pods_[2]);
  Write("web.yaml", {"web", vip_, {pods_[1]}});
  ExpectServedBy(vip_, pods_[1]);
  ExpectEventually("status forgets the typo",
                   [&] { return !absl::StrContains(Ctl({"status"}).out, "web.yaml"); });
}

TEST_F(BadInput, ATypoAtTheStartDoesNotStopTheOthers) {
  Write("a-broken.yaml", "{{{{");
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
  ExpectStatusSays({"a-broken.yaml"});
}

TEST_F(BadInput, ABadFieldIsNamedWithFileObjectAndField) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  Write("bad.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: bad, namespace: shop}\n"
        "spec:\n  clusterIP: 10.96.0.99\n  ports:\n  - {port: 70000, protocol: TCP}\n");
  StartAgent();
  ExpectStatusSays({"bad.yaml", "Service shop/bad", "spec.ports[0].port", "70000"});
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
}

TEST_F(BadInput, TwoServicesWithOneAddressAreShown) {
  Write("a.yaml", {"a", vip_, {pods_[0]}});
  Write("b.yaml", {"b", vip_, {pods_[1]}});
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString()) << "the first by name";
  ExpectStatusSays({"Service shop/b", "shop/a"});
  std::filesystem::remove(manifests() + "/a.yaml");
  ExpectServedBy(vip_, pods_[1]);
}

// The CVEs on endpoints' addresses, and a slice of somebody else.
TEST_F(BadInput, NoPodsAddressLeadsToTheNodeItselfOrToNobody) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  Write("evil.yaml", R"(apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: evil, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: main, port: 8080}]
endpoints:
- addresses: [127.0.0.1]
- addresses: [169.254.169.254]
- addresses: [0.0.0.0]
- addresses: [224.0.0.1]
- addresses: [255.255.255.255]
- addresses: ["fd00::1"]
- addresses: [010.244.001.02]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: evil-6, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv6
ports: [{name: main, port: 8080}]
endpoints: [{addresses: ["::1"]}, {addresses: ["fe80::1"]}, {addresses: ["::ffff:127.0.0.1"]}]
)");
  StartAgent();
  ExpectStatusSays({"127.0.0.1 is a loopback address", "169.254.169.254 is a link-local address",
                    "0.0.0.0 is the unspecified address", "224.0.0.1 is a multicast address",
                    "255.255.255.255 is the broadcast address", "fd00::1 is not an IPv4 address",
                    "::1 is a loopback address", "fe80::1 is a link-local address"});
  const CommandResult dump = Ctl({"dump"});
  EXPECT_EQ(dump.out, absl::StrCat("FRONTEND            SERVICE         BACKEND           NOTE\n",
                                   "10.96.0.10:80/TCP   shop/web:main   10.244.1.1:8080\n",
                                   "10.96.0.10:80/TCP   shop/web:main   10.244.1.2:8080\n"))
      << "leading zeros are decimal";
}

// Who is refused stays refused while the object that says so is made worse.
TEST_F(BadInput, AWrongObjectWidensNothing) {
  const auto service = [&](const std::string& ranges) {
    return ManifestSpec{
        .name = "web",
        .vip = vip_,
        .pods = {pods_[0]},
        .more = absl::StrCat(
            "  type: LoadBalancer\n  loadBalancerSourceRanges: ", ranges,
            "\nstatus:\n  loadBalancer: {ingress: [{ip: ", "203.0.113.5}, {ip: 127.0.0.1}]}\n")};
  };
  const HostPort balancer = HostPort::Of("203.0.113.5:80");
  Write("web.yaml", service("[198.51.100.0/24]"));
  StartAgent();
  ASSERT_EQ(Dial(balancer).error, ETIMEDOUT);
  ASSERT_EQ(Dial(vip_).answer, pods_[0].ToString());
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"[198.51.100.0/240]", "loadBalancerSourceRanges[0]"},
      {"[everybody]", "\"everybody\" is not"},
      {"198.51.100.0/24", "loadBalancerSourceRanges: \"198.51.100.0/24\" is a text"},
      {"['']", "loadBalancerSourceRanges[0]: \"\""}};
  for (const auto& [ranges, said] : mistakes) {
    SCOPED_TRACE(ranges);
    Write("web.yaml", service(ranges));
    ExpectStatusSays({said, "127.0.0.1 is a loopback address"});
    EXPECT_EQ(Dial(balancer).error, ETIMEDOUT);
    EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString()) << "the ClusterIP has no ranges";
  }
}

TEST_F(BadInput, ManyWrongObjectsTakeNoRightOneDown) {
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  Client client(vip_);
  const std::vector<std::string> heads = {
      "metadata: {name: UPPER, namespace: shop}\nspec: {}\n",
      "metadata: {name: zz-thief, namespace: shop}\nspec: {clusterIP: 10.96.0.10, ports: [{port: "
      "80}]}\n",
      "metadata: {name: a, namespace: shop}\nspec: {clusterIP: 10.96.0.300, ports: [{port: 80}]}\n",
      "metadata: {name: b, namespace: shop}\nspec: {clusterIP: 169.254.20.10, ports: [{port: "
      "53}]}\n",
      "metadata: {name: c, namespace: shop}\nspec: {clusterIP: 10.96.0.12, ports: [{port: -1}, "
      "{port: 0}, {port: "
      "65536}, {port: 80, protocol: \"TCP \"}]}\n",
      "metadata: {name: d, namespace: shop}\nspec: {clusterIP: 10.96.0.13, externalIPs: "
      "[10.96.0.10], ports: [{port: "
      "80}]}\n",
      "metadata: {name: e, namespace: shop}\nspec: [1, 2]\n",
      "metadata: {name: f, namespace: shop}\nspec: {clusterIP: 10.96.0.14, externalTrafficPolicy: "
      "Foo, ports: "
      "[{port: 80}]}\n"};
  std::string all;
  for (const std::string& head : heads) {
    absl::StrAppend(&all, "apiVersion: v1\nkind: Service\n", head, "---\n");
  }
  Write("wrong.yaml", all);
  ExpectStatusSays({"UPPER", "10.96.0.10:80/TCP belongs to Service shop/web", "10.96.0.300",
                    "169.254.20.10 is a link-local address", "spec.ports[0].port: -1",
                    "spec.ports[3].protocol", "Service shop/e", "\"Foo\" is not a traffic policy"});
  client.Stop();
  EXPECT_GT(client.attempts(), 0u);
  EXPECT_EQ(client.failures(), 0u) << client.first_failure();
}

TEST_F(BadInput, WhatCannotBeReadIsNamedAndHarmsNobody) {
  namespace fs = std::filesystem;
  fs::create_symlink("loop.yaml", manifests() + "/loop.yaml");
  fs::create_symlink("nowhere", manifests() + "/dangling.yaml");
  Write("nul.yaml", std::string("kind: Service\0\0\0", 16));
  Write("deep.yaml", std::string(100'000, '['));
  Write("anchors.yaml", "a: &a [*a, *a]\n");
  Write("unknown.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n");
  Write("empty.yaml", "");
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
  ExpectStatusSays({"loop.yaml", "nul.yaml", "deep.yaml", "anchors.yaml"});
  Write("web.yaml", {"web", vip_, {pods_[1]}});
  ExpectServedBy(vip_, pods_[1]);
}

TEST_F(BadInput, AHugeFileIsRefusedByNameAndTheOthersServe) {
  Write("huge.yaml", std::string(100 << 20, '#'));
  Write("web.yaml", {"web", vip_, {pods_[0]}});
  StartAgent();
  EXPECT_EQ(Dial(vip_).answer, pods_[0].ToString());
  ExpectStatusSays({"huge.yaml"});
}

// What is missing on a host, in one line that says how to get it.
class MissingOnHost : public AgentTest {
 protected:
  // The only line that it wrote, where it ended with 1.
  std::string Complaint(std::vector<std::string> arguments) {
    const CommandResult result = Agent(arguments);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    const std::string said = result.out + result.err;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    return said;
  }

  // The arguments, but another value for one of them.
  std::vector<std::string> With(const std::string& flag, const std::string& value) const {
    std::vector<std::string> arguments = Arguments();
    *(std::find(arguments.begin(), arguments.end(), flag) + 1) = value;
    return arguments;
  }
};

TEST_F(MissingOnHost, NoBpfFileSystem) {
  EXPECT_THAT(Complaint(With("--bpffs", directory() + "/pins")),
              AllOf(HasSubstr(directory()), HasSubstr("mount -t bpf")));
}

TEST_F(MissingOnHost, NoCgroupVersion2) {
  EXPECT_THAT(Complaint(With("--cgroup", directory())),
              AllOf(HasSubstr(directory()), HasSubstr("cgroup")));
  EXPECT_THAT(Complaint(With("--cgroup", "/no/such/cgroup")), HasSubstr("/no/such/cgroup"));
}

TEST_F(MissingOnHost, NoRoot) {
  std::vector<std::string> command = {"setpriv",        "--reuid=65534",   "--regid=65534",
                                      "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
                                      SHUNT_AGENT};
  for (const std::string& argument : Arguments()) command.push_back(argument);
  absl::StatusOr<CommandResult> result = RunCommand(command);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_THAT(result->err, ::testing::AnyOf(HasSubstr("root"), HasSubstr("CAP_"))) << result->err;
}

TEST_F(MissingOnHost, InitOnlyMountsWhatIsNotThere) {
  // In mounts of its own, where neither file system is there; and again when
  // both are.
  const std::string script =
      "set -e; umount -t cgroup2 -a; mount -t tmpfs none /run; mount -t tmpfs none "
      "/sys/fs/bpf; " SHUNT_AGENT " --init-only; " SHUNT_AGENT
      " --init-only; cat /proc/self/mounts";
  absl::StatusOr<CommandResult> result = RunCommand({"unshare", "-m", "sh", "-c", script});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0) << result->err;
  EXPECT_THAT(result->out, HasSubstr(" /sys/fs/bpf bpf "));
  EXPECT_THAT(result->out, HasSubstr(" /run/shunt/cgroupv2 cgroup2 "));
}

TEST_F(MissingOnHost, WrongUsageIsTwo) {
  EXPECT_EQ(Agent({"--no-such-flag"}).exit_code, 2);
  EXPECT_EQ(Agent({}).exit_code, 2) << "--manifests is missing";
  EXPECT_EQ(Agent({"--manifests", manifests(), "--logging-format", "xml"}).exit_code, 2);
  EXPECT_EQ(Agent({"--version"}).exit_code, 0);
  EXPECT_EQ(Agent({"--help"}).exit_code, 0);
}

}  // namespace
}  // namespace shunt::testing
