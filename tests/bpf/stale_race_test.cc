// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "tests/bpf/stale_sockets.h"
#include "tests/support/wait_for.h"
#include "userspace/datapath/sockets.h"

namespace shunt::testing {
namespace {

class StaleRace : public StaleSocketsTest {};

// A connect() that chose its backend just before that was freed is found too.
TEST_F(StaleRace, NoConnectSlipsThroughWhileItsBackendGoes) {
  ServeUdp({a_});
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> connects = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      std::deque<UniqueFd> open;
      while (!stop) {
        open.push_back(OpenSocket(vip_, {.transport = Transport::kUdp}));
        Connect(open.back().get(), vip_);
        ++connects;
        if (open.size() > 50) open.pop_front();
      }
    });
  }
  for (int round = 0; round < 10; ++round) {
    const uint64_t before = connects;
    ASSERT_TRUE(WaitFor([&] { return connects > before + 100; }));
    ApplyChanges({.changed = MakeState({{"dns", SHUNT_UDP, {vip_}, {round % 2 ? a_ : b_}}}),
                  .complete = true});
    EXPECT_TRUE(WaitFor([&] { return End().undecided == 0; }));
    absl::StatusOr<std::vector<TranslatedSocket>> sockets = ReadSockets(bpffs());
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    for (const TranslatedSocket& socket : *sockets) {
      EXPECT_FALSE(socket.stale) << "round " << round << ", " << socket.local.ToString();
    }
  }
  stop = true;
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace shunt::testing
