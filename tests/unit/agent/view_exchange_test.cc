// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/view_exchange.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace shunt {
namespace {

TEST(ViewExchange, AControlThreadThatTurnsIsAliveAndSaysWhetherTrafficIsServed) {
  Store store("node-a", [] {});
  ViewExchange* views = nullptr;
  std::atomic<bool> ready = false;
  std::thread turn;  // a control thread of one turn
  const ClusterSource source;
  ViewExchange exchange("/bpffs", store, source,
                        [&] { turn = std::thread([&] { views->Turned(ready); }); });
  views = &exchange;
  AgentHealth health = exchange.Health();
  turn.join();
  EXPECT_TRUE(health.alive);
  EXPECT_FALSE(health.ready);
  ready = true;
  health = exchange.Health();
  turn.join();
  EXPECT_TRUE(health.ready);
}

TEST(ViewExchange, AControlThreadThatHangsIsNotAlive) {
  Store store("node-a", [] {});
  const ClusterSource source;
  ViewExchange exchange("/bpffs", store, source, [] {});
  exchange.Turned(true);  // earlier does not count
  EXPECT_FALSE(exchange.Health().alive);
}

}  // namespace
}  // namespace shunt
