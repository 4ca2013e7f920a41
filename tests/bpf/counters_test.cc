// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"

namespace shunt::testing {
namespace {

class Counters : public DatapathTest {
 protected:
  uint64_t RunsAt(shunt_verdict verdict, shunt_hook hook) {
    absl::StatusOr<VerdictCounters> counters = ReadCounters(bpffs());
    EXPECT_TRUE(counters.ok()) << counters.status();
    return counters.ok() ? (*counters)[verdict][hook] : 0;
  }
};

TEST_F(Counters, SayWhatBecameOfEachCallAtEachHook) {
  const HostPort vip = HostPort::Of("10.96.0.10:80"), vip6 = HostPort::Of("[fd00:10:96::10]:80");
  const HostPort pod = HostPort::Of("10.244.1.5:80"), pod6 = HostPort::Of("[fd00:10:244::5]:80");
  const HostPort empty = HostPort::Of("10.96.0.11:80");
  for (shunt_protocol protocol : {SHUNT_TCP, SHUNT_UDP}) Serve({pod, pod6}, protocol);
  Apply(std::vector<ServiceSpec>{{"tcp", SHUNT_TCP, {vip, vip6}, {pod, pod6}},
                                 {"udp", SHUNT_UDP, {vip, vip6}, {pod, pod6}},
                                 {"none", SHUNT_TCP, {empty}, {}}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Dial(vip).error, 0);
  EXPECT_EQ(Dial(vip6).error, 0);
  EXPECT_EQ(Dial(empty).error, ECONNREFUSED);
  EXPECT_EQ(Dial(pod).error, 0);
  for (const HostPort& to : {vip, vip6})
    EXPECT_EQ(Dial(to, {.transport = Transport::kUdp}).error, 0);

  EXPECT_EQ(RunsAt(SHUNT_TRANSLATED, SHUNT_CONNECT4), 3u);
  EXPECT_EQ(RunsAt(SHUNT_TRANSLATED, SHUNT_CONNECT6), 1u);
  EXPECT_EQ(RunsAt(SHUNT_NO_ENDPOINT, SHUNT_CONNECT4), 1u);
  EXPECT_EQ(RunsAt(SHUNT_NOT_A_SERVICE, SHUNT_CONNECT4), 1u);
  EXPECT_EQ(RunsAt(SHUNT_RESTORED, SHUNT_GETPEERNAME4), 3u);
  EXPECT_EQ(RunsAt(SHUNT_RESTORED, SHUNT_GETPEERNAME6), 1u);
  EXPECT_EQ(RunsAt(SHUNT_NOT_A_SERVICE, SHUNT_GETPEERNAME4), 1u);
  EXPECT_EQ(RunsAt(SHUNT_TRANSLATED, SHUNT_SENDMSG4), 1u);
  EXPECT_EQ(RunsAt(SHUNT_TRANSLATED, SHUNT_SENDMSG6), 1u);
  EXPECT_EQ(RunsAt(SHUNT_RESTORED, SHUNT_RECVMSG4), 1u);
  EXPECT_EQ(RunsAt(SHUNT_RESTORED, SHUNT_RECVMSG6), 1u);
  EXPECT_EQ(Runs(SHUNT_NO_MEMORY), 0u);
  EXPECT_EQ(Runs(SHUNT_RACED), 0u);
}

}  // namespace
}  // namespace shunt::testing
