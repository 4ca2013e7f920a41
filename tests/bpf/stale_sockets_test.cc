// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/stale_sockets.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bpf/socket_storage.h"
#include "tests/support/wait_for.h"
#include "userspace/base/capabilities.h"

namespace shunt::testing {
namespace {

TEST_F(StaleSocketsTest, AConnectedUdpSocketHearsThatItsPodIsGoneAndDialsAgain) {
  ServeUdp({a_});
  const UniqueFd client = DialledUdp(vip_);
  EXPECT_EQ(Ended(), 0u) << "its pod is there";
  EXPECT_TRUE(LivesOn(client));
  ServeUdp({b_});
  EXPECT_EQ(Ended(), 1u);
  ExpectEnded(client);
  ASSERT_EQ(Connect(client.get(), vip_), 0);
  ASSERT_EQ(SendError(client), 0);
  EXPECT_EQ(ReceiveFrom(client.get()).answer, b_.ToString());
  EXPECT_EQ(Ended(), 0u);
}

TEST_F(StaleSocketsTest, AReaderThatWaitsIsWoken) {
  ServeUdp({a_});
  const UniqueFd client = DialledUdp(vip_);
  std::atomic<int> error = 0;
  std::thread reader([&] { error = ReceiveError(client); });
  ServeUdp({b_});
  EXPECT_EQ(Ended(), 1u);
  reader.join();
  EXPECT_EQ(error, ECONNABORTED);
}

TEST_F(StaleSocketsTest, InEveryNetworkNamespace) {
  std::vector<ClientPod> pods;
  for (int i = 0; i < 3; ++i) pods.push_back(MakePod());
  ServeUdp({a_});
  std::vector<UniqueFd> clients;
  for (const ClientPod& pod : pods) {
    for (int i = 0; i < 5; ++i) clients.push_back(DialledUdpFrom(pod, vip_));
  }
  clients.push_back(DialledUdp(vip_));
  ServeUdp({b_});
  EXPECT_EQ(Ended(), 16u);
  for (const UniqueFd& client : clients) ExpectEnded(client);
}

TEST_F(StaleSocketsTest, ANamespaceThatNobodyCanEnterIsReported) {
  absl::StatusOr<NetNamespace> nameless = NetNamespace::Make();
  ASSERT_TRUE(nameless.ok());
  ServeUdp({a_});
  UniqueFd client, ours = DialledUdp(vip_);
  std::unique_ptr<EchoServers> servers;
  nameless->Run([&] {
    servers = *EchoServers::Start(listeners_);
    client = DialledUdp(vip_);
  });
  ServeUdp({b_});
  const StaleSockets::Result result = End();
  EXPECT_EQ(result.ended, 1u) << "the others are not held up";
  EXPECT_EQ(result.unreachable, 1u);
  EXPECT_NE(result.problem.find("has neither a name in /run/netns nor a process"),
            std::string::npos)
      << result.problem;
  ExpectEnded(ours);
  EXPECT_TRUE(LivesOn(client));
}

TEST_F(StaleSocketsTest, WhenTheLastEndpointGoes) {
  ServeUdp({a_});
  const UniqueFd client = DialledUdp(vip_);
  ServeUdp({});
  EXPECT_EQ(Ended(), 1u);
  ExpectEnded(client);
  EXPECT_EQ(Connect(client.get(), vip_), ECONNREFUSED);
  ServeUdp({b_});
  EXPECT_EQ(Connect(client.get(), vip_), 0) << "the first endpoint has come";
  EXPECT_EQ(Ended(), 0u);
}

TEST_F(StaleSocketsTest, WhenTheTargetPortChanges) {
  ServeUdp({a_});
  const UniqueFd client = DialledUdp(vip_);
  ServeUdp({a_elsewhere_});
  EXPECT_EQ(Ended(), 1u);
  ExpectEnded(client);
}

TEST_F(StaleSocketsTest, WhenTheServiceGoes) {
  ServeUdp({a_});
  const UniqueFd client = DialledUdp(vip_);
  Apply(DatapathState());
  EXPECT_EQ(Ended(), 1u);
  ExpectEnded(client);
}

TEST_F(StaleSocketsTest, OfBothFamiliesAndMappedAddresses) {
  ServeUdp({a_, a6_}, {vip_, vip6_});
  const UniqueFd ipv4 = DialledUdp(vip_), ipv6 = DialledUdp(vip6_), mapped = DialledUdp(vip_, true);
  ServeUdp({b_}, {vip_, vip6_});
  EXPECT_EQ(Ended(), 3u);
  for (const UniqueFd* client : {&ipv4, &ipv6, &mapped}) ExpectEnded(*client);
}

TEST_F(StaleSocketsTest, NotThoseOfAnotherBackend) {
  ServeUdp({a_});
  const UniqueFd of_a = DialledUdp(vip_);
  ServeUdp({a_, b_});
  EXPECT_EQ(Ended(), 0u);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(DialledUdp(vip_));
  ServeUdp({b_});
  const uint64_t ended = Ended();
  EXPECT_GT(ended, 1u);
  EXPECT_LT(ended, 41u) << "40 times the same of two has a chance of 2^-39";
  uint64_t seen = LivesOn(of_a) ? 0 : 1;
  for (const UniqueFd& client : clients) {
    if (LivesOn(client)) {
      ASSERT_EQ(SendError(client), 0);
      EXPECT_EQ(ReceiveFrom(client.get()).answer, b_.ToString());
    } else {
      ++seen;
    }
  }
  EXPECT_EQ(seen, ended);
}

TEST_F(StaleSocketsTest, NotOneThatDialledThePodItself) {
  ServeUdp({a_});
  const UniqueFd direct = DialledUdp(a_), through_service = DialledUdp(vip_);
  ServeUdp({b_});
  EXPECT_EQ(Ended(), 1u);
  EXPECT_TRUE(LivesOn(direct));
  ASSERT_EQ(SendError(direct), 0);
  EXPECT_EQ(ReceiveFrom(direct.get()).answer, a_.ToString());
}

TEST_F(StaleSocketsTest, NotOneThatHasDialledSomebodyElseSince) {
  ServeUdp({a_});
  const UniqueFd client = DialledUdp(vip_);
  ASSERT_EQ(Connect(client.get(), b_), 0);
  const UniqueFd same_pod = DialledUdp(vip_);
  ASSERT_EQ(Connect(same_pod.get(), a_), 0) << "the same address, but dialled as such";
  ServeUdp({b_});
  EXPECT_EQ(Ended(), 0u);
  EXPECT_TRUE(LivesOn(client));
  EXPECT_TRUE(LivesOn(same_pod));
}

// Nor one that hung up. Its record cannot be told from that of a connect() that
// is on its way, so it is worth another look.
TEST_F(StaleSocketsTest, NotOneThatIsNotConnected) {
  ServeUdp({a_});
  const UniqueFd client = DialledUdp(vip_);
  const sockaddr nobody = {.sa_family = AF_UNSPEC, .sa_data = {}};
  ASSERT_EQ(connect(client.get(), &nobody, sizeof(nobody)), 0);
  ServeUdp({b_});
  const StaleSockets::Result result = End();
  EXPECT_EQ(result.ended, 0u);
  EXPECT_EQ(result.undecided, 1u);
  ASSERT_EQ(SendTo(client.get(), vip_, "?"), 0);
  EXPECT_EQ(ReceiveFrom(client.get()).answer, b_.ToString());
}

TEST_F(StaleSocketsTest, AnUnconnectedSocketChoosesAnewWithItsNextDatagram) {
  ServeUdp({a_});
  const UniqueFd client = OpenSocket(vip_, {.transport = Transport::kUdp});
  ASSERT_EQ(SendTo(client.get(), vip_, "?"), 0);
  ASSERT_EQ(ReceiveFrom(client.get()).answer, a_.ToString());
  ServeUdp({});
  EXPECT_EQ(Ended(), 0u);
  EXPECT_EQ(SendTo(client.get(), vip_, "?"), ECONNREFUSED);
  ServeUdp({a_elsewhere_});
  EXPECT_EQ(Ended(), 0u);
  ASSERT_EQ(SendTo(client.get(), vip_, "?"), 0);
  EXPECT_EQ(ReceiveFrom(client.get()).answer, a_elsewhere_.ToString());
}

TEST_F(StaleSocketsTest, AnAddressThatComesBackIsAnotherBackend) {
  ServeUdp({a_});
  const UniqueFd before = DialledUdp(vip_);
  ServeUdp({b_});
  ServeUdp({a_});
  const UniqueFd after = DialledUdp(vip_);
  EXPECT_EQ(Ended(), 1u);
  ExpectEnded(before);
  EXPECT_TRUE(LivesOn(after));
}

TEST_F(StaleSocketsTest, AnIdThatIsUsedAgainDoesNotHideThatItsBackendIsGone) {
  ServeUdp({a_});
  const UniqueFd client = DialledUdp(vip_);
  const absl::StatusOr<SocketStorage> storage = SocketStorage::Open(bpffs());
  ASSERT_TRUE(storage.ok()) << storage.status();
  const uint32_t id = storage->Read(client.get())->backend.id;
  const auto is_used_again = [&] {
    ServeUdp({b_});
    ServeUdp({a_});
    return datapath().maps().backends()[id].state != SHUNT_BACKEND_FREE;
  };
  ASSERT_TRUE(WaitFor(is_used_again)) << "ids come back after a grace period";
  EXPECT_EQ(Ended(), 1u);
  ExpectEnded(client);
}

TEST_F(StaleSocketsTest, ProgramsKnowWhenOtherMapsArePinned) {
  absl::StatusOr<std::unique_ptr<StaleSockets>> stale = StaleSockets::Load(bpffs());
  EXPECT_EQ(stale.status().code(), absl::StatusCode::kNotFound) << "nothing is pinned yet";
  ServeUdp({a_});
  stale = StaleSockets::Load(bpffs());
  ASSERT_TRUE(stale.ok()) << stale.status();
  EXPECT_TRUE((*stale)->IsCurrent());
  ASSERT_EQ(unlink((bpffs() + "/shunt_socket").c_str()), 0);
  EXPECT_FALSE((*stale)->IsCurrent());
}

TEST_F(StaleSocketsTest, TwoCapabilitiesAreEnoughToEndThem) {
  const ClientPod pod = MakePod();
  ServeUdp({a_});
  const UniqueFd ours = DialledUdp(vip_), theirs = DialledUdpFrom(pod, vip_);
  ServeUdp({b_});
  std::thread([&] {
    ASSERT_TRUE(KeepCapabilities({CAP_SYS_ADMIN, CAP_SYS_PTRACE}).ok());
    EXPECT_EQ(Ended(), 2u);
  }).join();
  ExpectEnded(theirs);
}

class AnyKernel : public DatapathTest {};

TEST_F(AnyKernel, EndsSocketsOrSaysThatItIsTooOld) {
  Apply(DatapathState());
  const absl::Status status = StaleSockets::Load(bpffs()).status();
  if (KernelCanEndSockets()) {
    EXPECT_TRUE(status.ok()) << status;
  } else {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_NE(status.message().find("Linux 6.5"), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace shunt::testing
