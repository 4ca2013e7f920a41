// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/flows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/state/state_builder.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/memory_map_store.h"
#include "userspace/datapath/service_name.h"

namespace shunt {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kNow = 1'000'000 * kSecond;

// shop/web:http is service port 7, with backend 3 of generation 5; its client
// 192.0.2.9:40000 dialled 192.0.2.1:30080.
class Flows : public ::testing::Test {
 protected:
  Flows() {
    EXPECT_TRUE(maps_.PutService(7, *EncodeServiceName(kWeb)).ok());
    const shunt_backend backend = {.address = ToAbi(kBackend.address),
                                   .service_id = 7,
                                   .generation = 5,
                                   .port = kBackend.port,
                                   .state = SHUNT_BACKEND_SERVING};
    EXPECT_TRUE(maps_.PutBackend(3, backend).ok());
  }

  static FlowEntry Entry(shunt_direction direction, const SocketEnd& from, const SocketEnd& to,
                         const SocketEnd& becomes, uint32_t state, uint64_t idle_s = 10) {
    return {{.source = ToAbi(from.address),
             .destination = ToAbi(to.address),
             .source_port = from.port,
             .destination_port = to.port,
             .protocol = SHUNT_TCP,
             .direction = direction},
            {.service_id = 7,
             .to = {.address = ToAbi(becomes.address), .port = becomes.port},
             .state = state,
             .backend = {3, 5},
             .last_used_ns = kNow - idle_s * kSecond}};
  }
  static FlowEntry Request(uint32_t state, uint64_t idle_s = 10) {
    return Entry(SHUNT_ARRIVES, kClient, kNodePort, kBackend, state, idle_s);
  }
  static FlowEntry Answer(uint32_t state, uint64_t idle_s = 10) {
    return Entry(SHUNT_LEAVES, kBackend, kClient, kNodePort, state | SHUNT_FLOW_ANSWER, idle_s);
  }
  // The other pair, of a backend of another node.
  static FlowEntry RequestLeaves(const SocketEnd& as, uint32_t state = 0) {
    return Entry(SHUNT_LEAVES, kClient, kBackend, as, state);
  }
  static FlowEntry AnswerArrives(const SocketEnd& as) {
    return Entry(SHUNT_ARRIVES, kBackend, as, kClient, SHUNT_FLOW_ANSWER);
  }

  std::vector<PacketFlow> Paired(const std::vector<FlowEntry>& entries) const {
    const shunt_config config = {.tcp_syn_timeout_ns = 120 * kSecond,
                                 .tcp_established_timeout_ns = 3600 * kSecond,
                                 .tcp_close_wait_timeout_ns = 60 * kSecond,
                                 .tcp_time_wait_timeout_ns = 120 * kSecond};
    return PairFlows(entries, maps_, config, kNow).value();
  }

  static inline const SocketEnd kClient{Ip("192.0.2.9"), 40000}, kNodePort{Ip("192.0.2.1"), 30080},
      kBackend{Ip("10.244.2.7"), 8080}, kNode{Ip("198.51.100.1"), 20001};
  const ServicePortName kWeb{"shop", "web", "http"};
  MemoryMapStore maps_;
};

TEST_F(Flows, OfABackendOfThisNodeAreOneRowInWhichItSeesTheClientItself) {
  const auto flows = Paired({Request(SHUNT_FLOW_ANSWERED), Answer(SHUNT_FLOW_ANSWERED)});
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_EQ(flows[0], (PacketFlow{.service = kWeb,
                                  .client = kClient,
                                  .dialled = kNodePort,
                                  .backend = kBackend,
                                  .seen_as = kClient,
                                  .state = FlowState::kEstablished,
                                  .idle_s = 10,
                                  .expires_s = 3590}));
}

TEST_F(Flows, OfABackendElsewhereAreOneRowWithTheAddressOfThisNode) {
  const auto flows = Paired({AnswerArrives(kNode), Request(0), RequestLeaves(kNode), Answer(0)});
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_EQ(flows[0].client, kClient);
  EXPECT_EQ(flows[0].dialled, kNodePort);
  EXPECT_EQ(flows[0].backend, kBackend);
  EXPECT_EQ(flows[0].seen_as, kNode);
  EXPECT_EQ(flows[0].state, FlowState::kUnanswered);
}

TEST_F(Flows, WhoseFirstPacketHasNotLeftAreSeenAsNobodyYet) {
  const auto flows = Paired({Request(0), Answer(0), RequestLeaves({}, SHUNT_FLOW_UNBOUND)});
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_EQ(flows[0].seen_as, std::nullopt);
}

TEST_F(Flows, OfAPodThatReachesItselfAreOneRow) {
  const SocketEnd self{kBackend.address, 40000};
  const auto flows = Paired({Entry(SHUNT_ARRIVES, self, kNodePort, kBackend, 0),
                             Entry(SHUNT_LEAVES, kBackend, self, kNodePort, SHUNT_FLOW_ANSWER),
                             Entry(SHUNT_LEAVES, self, kBackend, kNode, 0),
                             Entry(SHUNT_ARRIVES, kBackend, kNode, self, SHUNT_FLOW_ANSWER)});
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_EQ(flows[0].client, self);
  EXPECT_EQ(flows[0].seen_as, kNode);
}

TEST_F(Flows, OfWhichTheTableForgotAHalfAreStillKnownByTheOther) {
  for (const FlowEntry& half : {Request(SHUNT_FLOW_ANSWERED), Answer(SHUNT_FLOW_ANSWERED)}) {
    const auto flows = Paired({half});
    ASSERT_THAT(flows, SizeIs(1));
    EXPECT_EQ(flows[0].dialled, kNodePort);
    EXPECT_EQ(flows[0].state, FlowState::kEstablished);
  }
  EXPECT_THAT(Paired({RequestLeaves(kNode), AnswerArrives(kNode)}), IsEmpty())
      << "nobody knows what was dialled";
}

TEST_F(Flows, SayHowFarTheirConnectionIs) {
  const auto state = [this](uint32_t bits) { return Paired({Request(bits)})[0].state; };
  EXPECT_EQ(state(0), FlowState::kUnanswered);
  EXPECT_EQ(state(SHUNT_FLOW_ANSWERED), FlowState::kEstablished);
  EXPECT_EQ(state(SHUNT_FLOW_ANSWERED | SHUNT_FLOW_CLIENT_ENDS), FlowState::kClosing);
  EXPECT_EQ(state(SHUNT_FLOW_ANSWERED | SHUNT_FLOW_BACKEND_ENDS), FlowState::kClosing);
  EXPECT_EQ(state(SHUNT_FLOW_CLIENT_ENDS | SHUNT_FLOW_BACKEND_ENDS), FlowState::kClosed);
}

TEST_F(Flows, ThatWereResetAreForgottenAfterTenSeconds) {
  EXPECT_EQ(Paired({Request(SHUNT_FLOW_RESET, 9)})[0].state, FlowState::kReset);
  EXPECT_THAT(Paired({Request(SHUNT_FLOW_RESET, 10)}), IsEmpty());
}

TEST_F(Flows, ThatTimedOutAreNone) {
  EXPECT_THAT(Paired({Request(0, 119), Answer(0, 119)}), SizeIs(1));
  EXPECT_THAT(Paired({Request(0, 120), Answer(0, 120)}), IsEmpty());
}

TEST_F(Flows, AreAsOldAsTheHalfThatWasUsedLast) {
  EXPECT_EQ(Paired({Request(0, 119), Answer(0, 20)})[0].idle_s, 20);
}

TEST_F(Flows, OfABackendThatIsGoneAreStale) {
  shunt_backend next = maps_.backends()[3];
  next.generation = 6;
  ASSERT_TRUE(maps_.PutBackend(3, next).ok());
  EXPECT_EQ(Paired({Request(SHUNT_FLOW_ANSWERED)})[0].state, FlowState::kStale);
}

TEST_F(Flows, OfAServicePortThatIsGoneSayItsNumber) {
  FlowEntry entry = Request(0);
  entry.second.service_id = 42;
  EXPECT_EQ(Paired({entry})[0].service.ToString(), "?/42");
}

}  // namespace
}  // namespace shunt
