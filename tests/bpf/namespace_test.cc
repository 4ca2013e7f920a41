// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/net_namespace.h"

namespace shunt::testing {
namespace {

// Whose sockets are served: those of the cgroup, in whatever network namespace.
class WhoIsServed : public DatapathTest {
 protected:
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

}  // namespace
}  // namespace shunt::testing
