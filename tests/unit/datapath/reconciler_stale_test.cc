// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/unit/datapath/reader_model.h"
#include "tests/unit/datapath/states.h"
#include "userspace/datapath/memory_map_store.h"
#include "userspace/datapath/reconciler.h"

namespace shunt {
namespace {

// When sockets may have lost their backend, and have to be looked for.
class LeavesStaleSockets : public ::testing::Test {
 protected:
  LeavesStaleSockets() { EXPECT_TRUE(reconciler_->Adopt().ok()); }

  bool After(const DatapathState& state) {
    const Reconciler::Result result = reconciler_->Apply(All(state));
    EXPECT_EQ(result.pending, 0u);
    return result.leaves_stale_sockets;
  }
  void Restart() {
    reconciler_ = std::make_unique<Reconciler>(store_, grace_period_);
    EXPECT_TRUE(reconciler_->Adopt().ok());
  }

  static DatapathState Udp(const std::vector<int>& pods) {
    ServicePortName name = Name("dns");
    name.protocol = SHUNT_UDP;
    Frontend frontend = Front("10.96.0.1", 53);
    frontend.key.protocol = SHUNT_UDP;
    return {{name, Port({frontend}, Pods(pods))}};
  }
  static DatapathState Tcp(const std::vector<int>& pods, bool ends_tcp) {
    ServicePortState state = *OneFrontend(1, pods);
    state.ends_tcp = ends_tcp;
    return {{Name("web"), std::make_shared<const ServicePortState>(std::move(state))}};
  }

  MemoryMapStore store_;
  FakeGracePeriod grace_period_{nullptr};
  std::unique_ptr<Reconciler> reconciler_ = std::make_unique<Reconciler>(store_, grace_period_);
};

TEST_F(LeavesStaleSockets, WhenAUdpBackendGoes) {
  EXPECT_FALSE(After(Udp({1, 2})));
  EXPECT_FALSE(After(Udp({1, 2, 3})));
  EXPECT_TRUE(After(Udp({1, 3})));
  EXPECT_FALSE(After(Udp({1, 3})));
  EXPECT_TRUE(After({}));
}

TEST_F(LeavesStaleSockets, NotWhenATcpBackendGoesWhoseConnectionsLiveOn) {
  After(Tcp({1, 2}, false));
  EXPECT_FALSE(After(Tcp({1}, false)));
  EXPECT_FALSE(After({}));
}

TEST_F(LeavesStaleSockets, WhenATcpBackendGoesWhoseServiceEndsThem) {
  After(Tcp({1, 2}, true));
  EXPECT_TRUE(After(Tcp({1}, true)));
}

// A connection ends or not as its Service said when it was made.
TEST_F(LeavesStaleSockets, AlsoWhereTheServiceEndedThemOnce) {
  After(Tcp({1, 2}, true));
  EXPECT_FALSE(After(Tcp({1, 2}, false)));
  EXPECT_TRUE(After(Tcp({1}, false)));
}

TEST_F(LeavesStaleSockets, WhenWhatAnEarlierAgentLeftGoes) {
  After(Tcp({1, 2}, true));
  Restart();
  EXPECT_TRUE(After(Tcp({1}, true)));
  After(Udp({1, 2}));
  Restart();
  EXPECT_TRUE(After(Udp({2})));
}

}  // namespace
}  // namespace shunt
