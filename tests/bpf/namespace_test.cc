// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/cgroup.h"
#include "tests/support/command.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/net_namespace.h"
#include "userspace/datapath/opt_outs.h"

namespace shunt::testing {
namespace {

// Whose sockets are served: those of the cgroup, in whatever network namespace.
class WhoIsServed : public DatapathTest {
 protected:
  // A node port at an address of the host's loopback.
  DatapathState AtHostsLoopback(const HostPort& loopback) const {
    DatapathState state = MakeState({{"tcp", SHUNT_TCP, {loopback}, {pod_}}});
    ServicePortState port = *state.begin()->second;
    port.frontends[0].kind = SHUNT_NODE_PORT;
    port.frontends[0].host_only = true;
    state.begin()->second = std::make_shared<const ServicePortState>(port);
    return state;
  }

  const HostPort vip_ = HostPort::Of("10.96.0.10:80");
  const HostPort pod_ = HostPort::Of("10.244.9.9:80");
  const std::vector<ServiceSpec> services_ = {{"tcp", SHUNT_TCP, {vip_}, {pod_}},
                                              {"udp", SHUNT_UDP, {vip_}, {pod_}}};
};

TEST_F(WhoIsServed, APodInANetworkNamespaceOfItsOwn) {
  absl::StatusOr<NetNamespace> pod = NetNamespace::Make();
  ASSERT_TRUE(pod.ok()) << pod.status();
  const absl::Status connected = pod->Connect("shunt-t0", "10.244.1.1/24", "10.244.1.5/24");
  ASSERT_TRUE(connected.ok()) << connected;
  for (shunt_protocol protocol : {SHUNT_TCP, SHUNT_UDP}) Serve({pod_}, protocol);
  Apply(services_);
  pod->Run([&] {
    for (Transport transport : {Transport::kTcp, Transport::kUdp, Transport::kUdpConnected}) {
      const DialResult result = Dial(vip_, {.transport = transport});
      EXPECT_EQ(result.answer, pod_.ToString()) << result.ToString();
    }
  });
}

TEST_F(WhoIsServed, NotAProcessOutsideTheCgroup) {
  Serve({pod_});
  Apply(services_);
  ASSERT_EQ(Dial(vip_).answer, pod_.ToString());
  ASSERT_TRUE(JoinCgroup(GetEnvironment()->cgroup).ok());
  EXPECT_EQ(Dial(vip_).error, ENETUNREACH);
}

// A pod in a network namespace of its own.
NetNamespace MakePod() {
  absl::StatusOr<NetNamespace> pod = NetNamespace::Make();
  EXPECT_TRUE(pod.ok()) << pod.status();
  const absl::Status connected = pod->Connect("shunt-t0", "10.244.1.1/24", "10.244.1.5/24");
  EXPECT_TRUE(connected.ok()) << connected;
  return *std::move(pod);
}

DialResult DialFrom(const NetNamespace& pod, const HostPort& to, Transport transport) {
  DialResult result;
  pod.Run([&] { result = Dial(to, {.transport = transport}); });
  return result;
}

TEST_F(WhoIsServed, ANodePortAtLoopbackOnlyFromTheHostsOwnNamespace) {
  const HostPort loopback = HostPort::Of("127.0.0.1:30080");
  const NetNamespace pod = MakePod();
  Serve({pod_});
  Apply(AtHostsLoopback(loopback));
  EXPECT_EQ(Dial(loopback).answer, pod_.ToString());
  EXPECT_EQ(DialFrom(pod, loopback, Transport::kTcp).error, ECONNREFUSED) << "its own loopback";
  EXPECT_EQ(Runs(SHUNT_NOT_A_SERVICE), 1u);
}

TEST_F(WhoIsServed, NotAPodThatOptedOutNorWhatRunsInItsCgroups) {
  Serve({pod_});
  Apply(services_);
  const std::string inner = absl::StrCat(cgroup(), "/pod"), container = inner + "/container";
  ASSERT_TRUE(MakeCgroup(inner).ok());
  ASSERT_TRUE(MakeCgroup(container).ok());
  ASSERT_TRUE(JoinCgroup(container).ok());
  EXPECT_EQ(Dial(vip_).answer, pod_.ToString());
  ASSERT_TRUE(AddOptOut(bpffs(), inner).ok());
  EXPECT_EQ(Dial(vip_).error, ENETUNREACH);
  EXPECT_EQ(Runs(SHUNT_LEFT_ALONE), 1u);
  ASSERT_TRUE(JoinCgroup(cgroup()).ok());
  EXPECT_EQ(Dial(vip_).answer, pod_.ToString()) << "others are served";
  ASSERT_TRUE(JoinCgroup(container).ok());
  ASSERT_TRUE(RemoveOptOut(bpffs(), inner).ok());
  EXPECT_EQ(Dial(vip_).answer, pod_.ToString());
  ASSERT_TRUE(JoinCgroup(cgroup()).ok());
}

// SO_ORIGINAL_DST: its header and <netinet/in.h> cannot be included together.
constexpr int kOriginalDestination = 80;

// The destination that a sidecar reads of a connection which the pod's own
// firewall led to it, "" where there is none: `listener` is the sidecar's.
std::string OriginalDestinationOf(int listener, const HostPort& dialled) {
  const UniqueFd client = OpenSocket(dialled, {});
  if (Connect(client.get(), dialled) != 0) return "";
  const UniqueFd accepted(accept(listener, nullptr, nullptr));
  SocketAddress original;
  const int read =
      getsockopt(accepted.get(), SOL_IP, kOriginalDestination, original.get(), &original.length);
  return read == 0 ? original.ToHostPort().ToString() : "";
}

TEST_F(WhoIsServed, TheSidecarOfAPodThatOptedOutReadsTheClusterIp) {
  const NetNamespace pod = MakePod();
  const HostPort sidecar = HostPort::Of("127.0.0.1:15001");
  Apply(services_);
  UniqueFd listener;
  pod.Run([&] {
    const absl::Status redirected =
        MustRun({"nft",
                 "add table ip mesh; add chain ip mesh out { type nat hook output priority -100; };"
                 "add rule ip mesh out tcp dport 80 redirect to :15001"});
    ASSERT_TRUE(redirected.ok()) << redirected;
    listener = OpenSocket(sidecar, {});
    const SocketAddress address = SocketAddress::From(sidecar);
    ASSERT_EQ(bind(listener.get(), address.get(), address.length), 0);
    ASSERT_EQ(listen(listener.get(), 8), 0);
    EXPECT_EQ(OriginalDestinationOf(listener.get(), vip_), pod_.ToString()) << "it is served";
  });
  const std::string meshed = absl::StrCat(cgroup(), "/meshed");
  ASSERT_TRUE(MakeCgroup(meshed).ok());
  ASSERT_TRUE(AddOptOut(bpffs(), meshed).ok());
  ASSERT_TRUE(JoinCgroup(meshed).ok());
  pod.Run([&] { EXPECT_EQ(OriginalDestinationOf(listener.get(), vip_), vip_.ToString()); });
  ASSERT_TRUE(JoinCgroup(cgroup()).ok());
}

TEST_F(WhoIsServed, ASocketBelongsToTheNamespaceThatItWasMadeInWhoeverDials) {
  const HostPort loopback = HostPort::Of("127.0.0.1:30080");
  const NetNamespace pod = MakePod();
  Serve({pod_});
  Apply(AtHostsLoopback(loopback));
  UniqueFd hosts = OpenSocket(loopback, {}), pods;
  pod.Run([&] {
    pods = OpenSocket(loopback, {});
    EXPECT_EQ(Connect(hosts.get(), loopback), 0);
    EXPECT_EQ(PeerName(hosts.get()), loopback.ToString());
  });
  EXPECT_EQ(Connect(pods.get(), loopback), ECONNREFUSED) << "the pod's own loopback";
}

class OnlyTheHostIsServed : public WhoIsServed {
 protected:
  Datapath::SocketLb socket_lb() const override { return Datapath::SocketLb::kHost; }
};

TEST_F(OnlyTheHostIsServed, APodsPacketsKeepTheClusterIpForItsMeshSidecar) {
  const NetNamespace pod = MakePod();
  for (shunt_protocol protocol : {SHUNT_TCP, SHUNT_UDP}) Serve({pod_, vip_}, protocol);
  Apply(services_);
  for (Transport transport : {Transport::kTcp, Transport::kUdp, Transport::kUdpConnected}) {
    EXPECT_EQ(Dial(vip_, {.transport = transport}).answer, pod_.ToString());
    // Whoever stands at the virtual IP on the path gets what the pod dialled.
    EXPECT_EQ(DialFrom(pod, vip_, transport).answer, vip_.ToString());
  }
  EXPECT_EQ(Runs(SHUNT_LEFT_ALONE), 3u);
}

class NobodyIsServed : public WhoIsServed {
 protected:
  Datapath::SocketLb socket_lb() const override { return Datapath::SocketLb::kOff; }
};

TEST_F(NobodyIsServed, WhileSocketLbIsOff) {
  Serve({pod_, vip_});
  Apply(services_);
  EXPECT_EQ(Dial(vip_).answer, vip_.ToString());
  EXPECT_EQ(Runs(SHUNT_TRANSLATED), 0u);
}

}  // namespace
}  // namespace shunt::testing
