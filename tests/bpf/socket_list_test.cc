// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <thread>
#include <vector>

#include "tests/bpf/stale_sockets.h"
#include "userspace/base/capabilities.h"
#include "userspace/datapath/sockets.h"

namespace shunt::testing {
namespace {

// The sockets that Shunt translated, as `shuntctl get sockets` asks for them.
class TranslatedSockets : public StaleSocketsTest {};

TEST_F(TranslatedSockets, AreListedWithWhatTheyDialledAndGot) {
  const ClientPod pod = MakePod();
  ServeUdp({a_});
  const UniqueFd ours = DialledUdp(vip_), theirs = DialledUdpFrom(pod, vip_);
  const UniqueFd direct = DialledUdp(a_);
  absl::StatusOr<std::vector<TranslatedSocket>> sockets = ReadSockets(bpffs());
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  ASSERT_EQ(sockets->size(), 2u);
  EXPECT_NE((*sockets)[0].netns, (*sockets)[1].netns);
  for (const TranslatedSocket& socket : *sockets) {
    EXPECT_EQ(socket.service.ToString(), "test/dns");
    EXPECT_EQ(socket.service.protocol, SHUNT_UDP);
    EXPECT_EQ(socket.dialled.ToString(), vip_.ToString());
    EXPECT_EQ(socket.backend.ToString(), a_.ToString());
    EXPECT_EQ(socket.local.address.ToString(), "10.244.1.1");
    EXPECT_NE(socket.local.port, 0);
    EXPECT_NE(socket.cookie, 0u);
    EXPECT_FALSE(socket.stale);
  }
  Apply(DatapathState());
  sockets = ReadSockets(bpffs());
  ASSERT_TRUE(sockets.ok() && sockets->size() == 2) << sockets.status();
  EXPECT_TRUE((*sockets)[0].stale);
  EXPECT_EQ((*sockets)[0].service.name_space, "?") << "nobody knows its name any more";
  EXPECT_EQ(Ended(), 2u);
  sockets = ReadSockets(bpffs());
  ASSERT_TRUE(sockets.ok());
  EXPECT_TRUE(sockets->empty());
}

TEST_F(TranslatedSockets, AreNotListedWithoutThePrivilegeToWalkThem) {
  ServeUdp({a_});
  absl::Status status;
  std::thread([&] {
    status = KeepCapabilities({CAP_BPF, CAP_NET_ADMIN});
    if (status.ok()) status = ReadSockets(bpffs()).status();
  }).join();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_NE(status.message().find("CAP_PERFMON"), std::string::npos) << status;
}

}  // namespace
}  // namespace shunt::testing
