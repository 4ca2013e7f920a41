// SPDX-License-Identifier: Apache-2.0
// Traffic from outside the node, with the real agent: a client, a node (this
// network namespace), pods on it, and another node with pods.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "nlohmann/json.hpp"
#include "tests/e2e/agent_test.h"
#include "tests/support/command.h"
#include "tests/support/files.h"
#include "tests/support/net_namespace.h"
#include "userspace/state/datapath_state.h"

namespace shunt::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint16_t kNodePort = 30080;

// What a family has at each place.
struct Family4Or6 {
  const char* type;  // addressType of a slice
  HostPort node, cluster_ip, external_ip, local_pod, remote_pod;
  IpAddress client;
};

const Family4Or6 kIpv4 = {.type = "IPv4",
                          .node = HostPort::Of("192.0.2.1:30080"),
                          .cluster_ip = HostPort::Of("10.96.0.50:80"),
                          .external_ip = HostPort::Of("203.0.113.50:80"),
                          .local_pod = HostPort::Of("10.244.5.5:8080"),
                          .remote_pod = HostPort::Of("10.244.6.7:8080"),
                          .client = HostPort::Of("192.0.2.9:0").address};
const Family4Or6 kIpv6 = {.type = "IPv6",
                          .node = HostPort::Of("[2001:db8:2::1]:30080"),
                          .cluster_ip = HostPort::Of("[fd00:96::50]:80"),
                          .external_ip = HostPort::Of("[2001:db8:113::50]:80"),
                          .local_pod = HostPort::Of("[fd00:244:5::5]:8080"),
                          .remote_pod = HostPort::Of("[fd00:244:6::7]:8080"),
                          .client = HostPort::Of("[2001:db8:2::9]:0").address};

// $0 address, $1 node port, $2 external IP, $3 policy, $4 protocol, $5 slices
constexpr char kService[] = R"(apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  type: NodePort
  clusterIP: "$0"
  clusterIPs: ["$0"]
  externalIPs: ["$2"]
  externalTrafficPolicy: $3
  ports:
  - {name: main, port: 80, protocol: $4, nodePort: $1}
$5)";

// $0 name, $1 addressType, $2 protocol, $3 address, $4 node
constexpr char kSlice[] = R"(---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: $0
  namespace: shop
  labels: {kubernetes.io/service-name: web}
addressType: $1
ports:
- {name: main, port: 8080, protocol: $2}
endpoints:
- {addresses: ["$3"], nodeName: $4}
)";

// Sums up all that one client sends, and tells it the sum and its address.
class Summing {
 public:
  explicit Summing(const HostPort& at) {
    listener_ = OpenSocket(at, {.limit = absl::Seconds(20)});
    SocketAddress address = SocketAddress::From(at);
    EXPECT_EQ(bind(listener_.get(), address.get(), address.length), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    thread_ = std::thread([this] { Serve(); });
  }
  ~Summing() { thread_.join(); }

 private:
  void Serve() const {
    SocketAddress peer;
    const UniqueFd client(accept(listener_.get(), peer.get(), &peer.length));
    uint64_t sum = 0;
    std::vector<uint8_t> buffer(1 << 16);
    for (ssize_t got; (got = recv(client.get(), buffer.data(), buffer.size(), 0)) > 0;) {
      for (ssize_t i = 0; i < got; ++i) sum += buffer[i];
    }
    const std::string answer = absl::StrCat(sum, " ", peer.ToHostPort().address.ToString());
    send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  }

  UniqueFd listener_;
  std::thread thread_;
};

class Packets : public AgentTest, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override;
  void TearDown() override;

  const Family4Or6& at() const { return GetParam() ? kIpv6 : kIpv4; }
  const NetNamespace& client() const { return *client_; }
  const NetNamespace& pod() const { return *pod_; }
  const NetNamespace& other_node() const { return *other_node_; }

  // A Service with these endpoints, "local" and "remote".
  void WriteService(const std::set<std::string>& endpoints, const std::string& policy = "Cluster",
                    shunt_protocol protocol = SHUNT_TCP);
  void ServeInPods();
  void StartServing(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--packets", "on", "--socket-lb", "host"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    StartAgent(arguments);
    ExpectEventually("packets are served",
                     [&] { return absl::StrContains(agent().Log(), "packets are served"); });
  }

  DialResult DialFromClient(const HostPort& to, Transport transport = Transport::kTcp,
                            absl::Duration limit = absl::Seconds(10)) const {
    DialResult result;
    client().Run([&] { result = Dial(to, {.transport = transport, .limit = limit}); });
    return result;
  }
  // Who answers, of many tries.
  std::set<std::string> Answers(const HostPort& to, Transport transport = Transport::kTcp) const;
  // Sends megabytes to a pod in `where`, and returns what that says.
  std::string Upload(const NetNamespace& from, const HostPort& to, const NetNamespace& where,
                     const HostPort& listen) const;
  // What there has to be for pods whose own packets are served.
  void KnowPods() const;
  std::vector<std::string> OptionsOfPods() const {
    const IpAddress& pod = at().local_pod.address;
    return {"--cluster-cidr", Cidr::Make(pod, GetParam() ? 48 : 16).value().ToString(), "--devices",
            "up0,up1,pod0"};
  }

 private:
  absl::Status MakeNetwork();

  std::optional<NetNamespace> client_, pod_, other_node_;
  std::vector<std::unique_ptr<EchoServers>> servers_;
};

absl::StatusOr<NetNamespace> MakeNeighbour(const char* device, const std::vector<std::string>& ours,
                                           const std::vector<std::string>& theirs) {
  absl::StatusOr<NetNamespace> made = NetNamespace::Make();
  if (!made.ok()) return made.status();
  absl::Status status = made->Connect(device, ours[0], theirs[0]);
  status.Update(MustRun({"ip", "addr", "add", ours[1], "dev", device, "nodad"}));
  made->Run(
      [&] { status.Update(MustRun({"ip", "addr", "add", theirs[1], "dev", "eth0", "nodad"})); });
  if (!status.ok()) return status;
  return made;
}

// The other node knows no way to the client: what it answers has to be asked for
// by an address of this one.
absl::Status Packets::MakeNetwork() {
  absl::Status status = WriteFile("/proc/sys/net/ipv4/ip_forward", "1");
  status.Update(WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", "1"));
  absl::StatusOr<NetNamespace> client = MakeNeighbour("up0", {"192.0.2.1/24", "2001:db8:2::1/64"},
                                                      {"192.0.2.9/24", "2001:db8:2::9/64"});
  absl::StatusOr<NetNamespace> other = MakeNeighbour("up1", {"198.51.100.1/24", "2001:db8:3::1/64"},
                                                     {"198.51.100.2/24", "2001:db8:3::2/64"});
  absl::StatusOr<NetNamespace> pod = NetNamespace::Make();
  for (const auto* made : {&client, &other, &pod}) status.Update(made->status());
  if (!status.ok()) return status;
  status.Update(pod->ConnectPod("pod0", at().local_pod.address));
  client->Run(
      [&] { status.Update(MustRun({"ip", "route", "add", "default", "via", "2001:db8:2::1"})); });
  other->Run([&] { status.Update(MustRun({"ip", "route", "del", "default"})); });
  status.Update(MustRun({"ip", "route", "add", "10.244.6.0/24", "via", "198.51.100.2"}));
  status.Update(MustRun({"ip", "route", "add", "fd00:244:6::/64", "via", "2001:db8:3::2"}));
  client_ = *std::move(client);
  other_node_ = *std::move(other);
  pod_ = *std::move(pod);
  return status;
}

void Packets::SetUp() {
  AgentTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  const absl::Status made = MakeNetwork();
  ASSERT_TRUE(made.ok()) << made;
}

void Packets::TearDown() {
  servers_.clear();
  AgentTest::TearDown();
}

void Packets::WriteService(const std::set<std::string>& endpoints, const std::string& policy,
                           shunt_protocol protocol) {
  std::string slices;
  for (const std::string& name : endpoints) {
    const bool is_local = name == "local";
    const HostPort& pod = is_local ? at().local_pod : at().remote_pod;
    absl::StrAppend(&slices,
                    absl::Substitute(kSlice, name, at().type, ProtocolText(protocol),
                                     pod.address.ToString(), is_local ? "node-a" : "node-b"));
  }
  Write("web.yaml", absl::Substitute(kService, at().cluster_ip.address.ToString(), kNodePort,
                                     at().external_ip.address.ToString(), policy,
                                     ProtocolText(protocol), slices));
}

void Packets::ServeInPods() {
  const auto serve = [this](const HostPort& place) {
    absl::StatusOr<std::unique_ptr<EchoServers>> servers =
        EchoServers::Start({{place, SHUNT_TCP}, {place, SHUNT_UDP}});
    ASSERT_TRUE(servers.ok()) << servers.status();
    servers_.push_back(*std::move(servers));
  };
  pod().Run([&] { serve(at().local_pod); });
  other_node().Run([&] { serve(at().remote_pod); });
}

std::set<std::string> Packets::Answers(const HostPort& to, Transport transport) const {
  std::set<std::string> answers;
  for (int i = 0; i < 64 && answers.size() < 2; ++i) {
    const DialResult result = DialFromClient(to, transport);
    EXPECT_EQ(result.error, 0) << result.ToString();
    if (result.error != 0) break;
    if (IsUdp(transport)) EXPECT_EQ(result.from, to.ToString());
    answers.insert(result.answer);
  }
  return answers;
}

std::string Packets::Upload(const NetNamespace& from, const HostPort& to, const NetNamespace& where,
                            const HostPort& listen) const {
  std::unique_ptr<Summing> server;
  where.Run([&] { server = std::make_unique<Summing>(listen); });
  std::string answer;
  from.Run([&] {
    const UniqueFd fd = OpenSocket(to, {.limit = absl::Seconds(20)});
    EXPECT_EQ(Connect(fd.get(), to), 0);
    const std::string block(1 << 20, '\1');
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(send(fd.get(), block.data(), block.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(block.size()));
    }
    shutdown(fd.get(), SHUT_WR);
    char buffer[128];
    const ssize_t got = recv(fd.get(), buffer, sizeof(buffer), 0);
    if (got > 0) answer.assign(buffer, got);
  });
  return answer;
}

void Packets::KnowPods() const {
  other_node().Run([&] {
    absl::Status status = AddLoopbackAddresses({at().remote_pod.address});
    status.Update(MustRun({"ip", "route", "add", at().local_pod.address.ToString(), "via",
                           GetParam() ? "2001:db8:3::1" : "198.51.100.1"}));
    ASSERT_TRUE(status.ok()) << status;
  });
}

TEST_P(Packets, ReachPodsOfEveryNodeByEveryFrontend) {
  ServeInPods();
  WriteService({"local", "remote"});
  StartServing();
  const std::set<std::string> pods = {at().local_pod.ToString(), at().remote_pod.ToString()};
  for (const HostPort& to : {at().node, at().cluster_ip, at().external_ip}) {
    EXPECT_EQ(Answers(to), pods) << to.ToString();
  }
}

TEST_P(Packets, OfUdpReachPodsOfEveryNode) {
  ServeInPods();
  WriteService({"local", "remote"}, "Cluster", SHUNT_UDP);
  StartServing();
  const std::set<std::string> pods = {at().local_pod.ToString(), at().remote_pod.ToString()};
  EXPECT_EQ(Answers(at().node, Transport::kUdp), pods);
  EXPECT_EQ(Answers(at().node, Transport::kUdpConnected), pods);
}

TEST_P(Packets, ByTheMegabyteReachAPodWithTheClientsAddress) {
  WriteService({"local"});
  StartServing();
  EXPECT_EQ(Upload(client(), at().node, pod(), at().local_pod),
            absl::StrCat(8 << 20, " ", at().client.ToString()));
}

// What is too big for the way to the other node, the client is told by an error
// about a packet that it knows.
TEST_P(Packets, ByTheMegabyteReachAPodBehindASmallerLink) {
  for (const char* device : {"up1", "eth0"}) {
    const auto set = [&] {
      const absl::Status status = MustRun({"ip", "link", "set", device, "mtu", "1280"});
      ASSERT_TRUE(status.ok()) << status;
    };
    if (std::string(device) == "up1") {
      set();
    } else {
      other_node().Run(set);
    }
  }
  other_node().Run([&] {
    const absl::Status status = AddLoopbackAddresses({at().remote_pod.address});
    ASSERT_TRUE(status.ok()) << status;
  });
  WriteService({"remote"});
  StartServing();
  const IpAddress node = HostPort::Of(GetParam() ? "[2001:db8:3::1]:0" : "198.51.100.1:0").address;
  EXPECT_EQ(Upload(client(), at().node, other_node(), at().remote_pod),
            absl::StrCat(8 << 20, " ", node.ToString()));
}

TEST_P(Packets, WithoutAnEndpointAreRefusedAtOnce) {
  WriteService({});
  StartServing();
  for (const HostPort& to : {at().node, at().cluster_ip, at().external_ip}) {
    const DialResult result = DialFromClient(to);
    EXPECT_EQ(result.error, ECONNREFUSED) << result.ToString();
  }
}

TEST_P(Packets, UnderALocalPolicyReachPodsOfThisNodeAlone) {
  ServeInPods();
  WriteService({"local", "remote"}, "Local");
  StartServing();
  EXPECT_EQ(Answers(at().node), std::set<std::string>{at().local_pod.ToString()});
  WriteService({"remote"}, "Local");
  ExpectEventually("dropped", [&] {
    return DialFromClient(at().node, Transport::kTcp, absl::Milliseconds(200)).error == ETIMEDOUT;
  });
}

// Its sockets are not served: as those of a machine in a pod.
TEST_P(Packets, OfAPodReachABackendElsewhereByTheClusterIpWithItsOwnAddress) {
  KnowPods();
  WriteService({"remote"});
  StartServing(OptionsOfPods());
  EXPECT_EQ(Upload(pod(), at().cluster_ip, other_node(), at().remote_pod),
            absl::StrCat(8 << 20, " ", at().local_pod.address.ToString()));
}

TEST_P(Packets, OfAPodReachItselfByTheClusterIp) {
  KnowPods();
  WriteService({"local"});
  StartServing(OptionsOfPods());
  ServeInPods();
  pod().Run([&] { EXPECT_EQ(Dial(at().cluster_ip, {}).answer, at().local_pod.ToString()); });
}

TEST_P(Packets, OfAPodReachEveryNodeUnderALocalPolicyAndThoseFromOutsideDoNot) {
  KnowPods();
  WriteService({"remote"}, "Local");
  StartServing(OptionsOfPods());
  EXPECT_EQ(Upload(pod(), at().external_ip, other_node(), at().remote_pod),
            absl::StrCat(8 << 20, " ", at().local_pod.address.ToString()));
  EXPECT_EQ(DialFromClient(at().external_ip, Transport::kTcp, absl::Milliseconds(200)).error,
            ETIMEDOUT);
}

TEST_P(Packets, AreServedByTheKernelWhileThereIsNoAgent) {
  ServeInPods();
  WriteService({"local"});
  StartServing();
  EndAgent(SIGKILL);
  EXPECT_EQ(DialFromClient(at().node).answer, at().local_pod.ToString());
  StartServing();
  EXPECT_EQ(DialFromClient(at().node).answer, at().local_pod.ToString());
}

TEST_P(Packets, AreLeftAloneAgainByAnAgentThatServesNone) {
  ServeInPods();
  WriteService({"local"});
  StartServing();
  EXPECT_EQ(DialFromClient(at().node).answer, at().local_pod.ToString());
  EndAgent(SIGTERM);
  StartAgent({"--socket-lb", "host"});
  EXPECT_EQ(DialFromClient(at().node).error, ECONNREFUSED);  // nobody listens there
}

TEST_P(Packets, AreServedAtADeviceThatAppears) {
  ServeInPods();
  WriteService({"local"});
  const absl::Status down = MustRun({"ip", "link", "set", "up0", "down"});
  ASSERT_TRUE(down.ok()) << down;
  StartServing();
  const absl::Status up = MustRun({"ip", "link", "set", "up0", "up"});
  ASSERT_TRUE(up.ok()) << up;
  if (GetParam()) {  // which went with the link
    const absl::Status back =
        MustRun({"ip", "addr", "replace", "2001:db8:2::1/64", "dev", "up0", "nodad"});
    ASSERT_TRUE(back.ok()) << back;
  }
  ExpectEventually("served", [&] {
    return DialFromClient(at().node, Transport::kTcp, absl::Milliseconds(200)).answer ==
           at().local_pod.ToString();
  });
}

TEST_P(Packets, AreListedAsFlowsWithTheAgentAndWithoutIt) {
  ServeInPods();
  WriteService({"remote"}, "Cluster", SHUNT_UDP);
  StartServing();
  EXPECT_EQ(DialFromClient(at().node, Transport::kUdp).answer, at().remote_pod.ToString());
  const std::string node = GetParam() ? "[2001:db8:3::1]:" : "198.51.100.1:";
  for (const char* source : {"agent", "maps"}) {
    SCOPED_TRACE(source);
    const std::vector<std::string> ask = {"get",  "flows", "shop/web", "--source",
                                          source, "-o",    "json"};
    const json flows = json::parse(Ctl(ask).out, nullptr, /*allow_exceptions=*/false)["items"];
    ASSERT_EQ(flows.size(), 1u);
    EXPECT_EQ(flows[0]["dialled"], at().node.ToString());
    EXPECT_EQ(flows[0]["backend"], at().remote_pod.ToString());
    EXPECT_EQ(flows[0]["state"], "Established");
    EXPECT_THAT(flows[0]["client"].get<std::string>(), HasSubstr(at().client.ToString()));
    EXPECT_THAT(flows[0]["seenAs"].get<std::string>(), StartsWith(node));
    EndAgent(SIGKILL);
  }
}

// As they then go: held against what a client meets.
TEST_P(Packets, AreExplained) {
  ServeInPods();
  WriteService({"local", "remote"});
  StartServing();
  const auto explain = [this](const HostPort& from, const std::vector<std::string>& more = {}) {
    std::vector<std::string> ask = {"explain", "packet", from.ToString(), at().node.ToString(),
                                    "-o",      "json"};
    ask.insert(ask.end(), more.begin(), more.end());
    const CommandResult result = Ctl(ask);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  };
  const HostPort nobody_yet{at().client, 9};
  const json first = explain(nobody_yet, {"--device", "up0"});
  EXPECT_EQ(first["verdict"], "translated");
  EXPECT_EQ(first["service"], "shop/web:main");
  ASSERT_EQ(first["backends"].size(), 2u);
  for (const json& backend : first["backends"]) {
    const bool is_local = backend["address"] == at().local_pod.address.ToString();
    EXPECT_EQ(backend["seenAs"], is_local ? nobody_yet.ToString() : "an address of this node");
  }
  EXPECT_EQ(explain(nobody_yet, {"--device", "lo"})["verdict"], "not_a_service");

  const std::string pod = DialFromClient(at().node).answer;
  const json flows = json::parse(Ctl({"get", "flows", "-A", "-o", "json"}).out)["items"];
  ASSERT_EQ(flows.size(), 1u);
  const json known = explain(HostPort::Of(flows[0]["client"].get<std::string>()));
  EXPECT_EQ(known["verdict"], "continued");
  EXPECT_EQ(known["flow"]["backend"], pod);

  WriteService({});
  ExpectEventually("refused", [&] { return explain(nobody_yet)["verdict"] == "no_endpoint"; });
  EXPECT_EQ(DialFromClient(at().node).error, ECONNREFUSED);
}

// A pin that cannot be made, here because of a directory of its name.
TEST_P(Packets, AreServedWithoutAnyChangeOnceWhatWasInTheWayHasGone) {
  ServeInPods();
  WriteService({"local"});
  const std::string in_the_way =
      absl::StrCat(bpffs(), "/link_ingress_", if_nametoindex("up0"), "_new");
  std::filesystem::create_directories(in_the_way);
  StartAgent({"--packets", "on", "--socket-lb", "host"});
  ExpectEventually("it is told", [&] {
    return absl::StrContains(agent().Log(), "packets of some devices are not served");
  });
  std::filesystem::remove(in_the_way);
  ExpectEventually("served", [&] {
    return DialFromClient(at().node, Transport::kTcp, absl::Milliseconds(200)).answer ==
           at().local_pod.ToString();
  });
}

INSTANTIATE_TEST_SUITE_P(, Packets, ::testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "Ipv6" : "Ipv4");
});

}  // namespace
}  // namespace shunt::testing
