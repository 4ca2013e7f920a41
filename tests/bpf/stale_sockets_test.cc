// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/stale_sockets.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bpf/socket_storage.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/resident.h"
#include "tests/support/wait_for.h"
#include "userspace/base/capabilities.h"
#include "userspace/datapath/sockets.h"

namespace shunt::testing {
namespace {

// A pod that dials: a network namespace with a process, in which all the
// backends answer.
struct ClientPod {
  NetNamespace netns;
  std::unique_ptr<Resident> resident;
  std::unique_ptr<EchoServers> servers;
};

// What becomes of sockets when the backend that they were given is gone.
class StaleSocketsTest : public DatapathTest {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Serve(listeners_);
  }

  // The programs are on the maps that are pinned once something was applied.
  StaleSockets::Result End() {
    if (stale_ == nullptr) {
      absl::StatusOr<std::unique_ptr<StaleSockets>> loaded = StaleSockets::Load(bpffs());
      EXPECT_TRUE(loaded.ok()) << loaded.status();
      if (!loaded.ok()) return {};
      stale_ = *std::move(loaded);
    }
    absl::StatusOr<StaleSockets::Result> result = stale_->End();
    EXPECT_TRUE(result.ok()) << result.status();
    return result.value_or(StaleSockets::Result());
  }
  uint64_t Ended() {
    const StaleSockets::Result result = End();
    EXPECT_EQ(result.problem, "");
    return result.ended;
  }

  void ServeUdp(const std::vector<HostPort>& backends, const std::vector<HostPort>& vips) {
    Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, vips, backends}});
  }
  void ServeUdp(const std::vector<HostPort>& backends) { ServeUdp(backends, {vip_}); }

  void ServeTcp(const std::vector<HostPort>& backends, bool ends_tcp) {
    const ServiceSpec spec = {"web", SHUNT_TCP, {vip_}, backends};
    ServicePortState state = *StateOf(spec);
    state.ends_tcp = ends_tcp;
    Apply(DatapathState{{NameOf(spec), std::make_shared<const ServicePortState>(state)}});
  }

  UniqueFd Dialled(const HostPort& to, Transport transport, bool mapped = false) {
    UniqueFd fd = OpenSocket(to, {.transport = transport, .mapped = mapped});
    EXPECT_EQ(Connect(fd.get(), to, mapped), 0) << to.ToString();
    return fd;
  }
  UniqueFd DialledUdp(const HostPort& to, bool mapped = false) {
    return Dialled(to, Transport::kUdpConnected, mapped);
  }

  ClientPod MakePod() {
    absl::StatusOr<NetNamespace> netns = NetNamespace::Make();
    EXPECT_TRUE(netns.ok()) << netns.status();
    absl::StatusOr<Resident> resident = Resident::MoveInto(*netns);
    EXPECT_TRUE(resident.ok()) << resident.status();
    absl::StatusOr<std::unique_ptr<EchoServers>> servers = absl::UnknownError("did not run");
    netns->Run([&] { servers = EchoServers::Start(listeners_); });
    EXPECT_TRUE(servers.ok()) << servers.status();
    return {*std::move(netns), std::make_unique<Resident>(*std::move(resident)),
            *std::move(servers)};
  }
  UniqueFd DialledUdpFrom(const ClientPod& pod, const HostPort& to) {
    UniqueFd fd;
    pod.netns.Run([&] { fd = DialledUdp(to); });
    return fd;
  }

  const HostPort vip_ = HostPort::Of("10.96.0.53:53");
  const HostPort vip6_ = HostPort::Of("[fd00:10:96::53]:53");
  const HostPort a_ = HostPort::Of("10.244.1.1:5353"), b_ = HostPort::Of("10.244.1.2:5353");
  const HostPort a_elsewhere_ = HostPort::Of("10.244.1.1:5354");  // another targetPort
  const HostPort a6_ = HostPort::Of("[fd00:10:244::1]:5353");
  const std::vector<Listener> listeners_ = {{a_, SHUNT_UDP},  {b_, SHUNT_UDP},
                                            {a6_, SHUNT_UDP}, {a_elsewhere_, SHUNT_UDP},
                                            {a_, SHUNT_TCP},  {b_, SHUNT_TCP}};

 private:
  std::unique_ptr<StaleSockets> stale_;
};

int ReceiveError(const UniqueFd& fd, int flags = 0) {
  char buffer[64];
  return recv(fd.get(), buffer, sizeof(buffer), flags) < 0 ? errno : 0;
}

int SendError(const UniqueFd& fd) { return send(fd.get(), "?", 1, MSG_NOSIGNAL) < 0 ? errno : 0; }

// Nothing has come, and the socket has no error.
bool LivesOn(const UniqueFd& fd) { return ReceiveError(fd, MSG_DONTWAIT) == EAGAIN; }

// A connected UDP socket that was ended, as its application sees it.
void ExpectEnded(const UniqueFd& fd) {
  EXPECT_EQ(ReceiveError(fd, MSG_DONTWAIT), ECONNABORTED);
  EXPECT_EQ(SendError(fd), EDESTADDRREQ);
}

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

TEST_F(StaleSocketsTest, ATcpConnectionLivesAsLongAsItsPod) {
  ServeTcp({a_}, /*ends_tcp=*/false);
  const UniqueFd client = Dialled(vip_, Transport::kTcp);
  ServeTcp({b_}, false);
  EXPECT_EQ(Ended(), 0u);
  EXPECT_EQ(PeerName(client.get()), vip_.ToString());
}

// A connection that stays open: EchoServers hang up once they have answered.
class OpenConnection {
 public:
  explicit OpenConnection(const HostPort& at) {
    const SocketAddress name = SocketAddress::From(at);
    const int on = 1;
    listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    EXPECT_TRUE(AddLoopbackAddresses({at.address}).ok());
    EXPECT_EQ(bind(listener_.get(), name.get(), name.length), 0) << strerror(errno);
    EXPECT_EQ(listen(listener_.get(), 8), 0);
  }

 private:
  UniqueFd listener_;
};

TEST_F(StaleSocketsTest, ATcpConnectionEndsAtOnceWhereItsServiceWantsThat) {
  const HostPort quiet = HostPort::Of("10.244.1.1:8081");
  const OpenConnection server(quiet);
  ServeTcp({quiet}, /*ends_tcp=*/true);
  const UniqueFd client = Dialled(vip_, Transport::kTcp), direct = Dialled(quiet, Transport::kTcp);
  EXPECT_EQ(Ended(), 0u);
  ServeTcp({b_}, true);
  EXPECT_EQ(Ended(), 1u);
  EXPECT_EQ(ReceiveError(client, MSG_DONTWAIT), ECONNABORTED);
  EXPECT_EQ(SendError(client), EPIPE);
  EXPECT_TRUE(LivesOn(direct));
  EXPECT_EQ(Ended(), 0u) << "it is ended once";
}

TEST_F(StaleSocketsTest, ATcpConnectionToAPodThatOnlyTakesNoMoreLivesOn) {
  const HostPort quiet = HostPort::Of("10.244.1.1:8081");
  const OpenConnection server(quiet);
  ServeTcp({quiet}, /*ends_tcp=*/true);
  const UniqueFd client = Dialled(vip_, Transport::kTcp);
  // Terminating: it is in no list any more, and is there.
  const ServiceSpec spec = {"web", SHUNT_TCP, {vip_}, {quiet, b_}};
  ServicePortState state = *StateOf(spec);
  state.ends_tcp = true;
  state.backends[0].in_cluster_list = false;
  ApplyChanges({.changed = {{NameOf(spec), std::make_shared<const ServicePortState>(state)}}});
  EXPECT_EQ(Dial(vip_).answer, b_.ToString());
  EXPECT_EQ(Ended(), 0u);
  EXPECT_TRUE(LivesOn(client));
}

// A connect() that chose its backend just before that was freed is found too.
TEST_F(StaleSocketsTest, NoConnectSlipsThroughWhileItsBackendGoes) {
  ServeUdp({a_});
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> connects = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
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
  for (int round = 0; round < 30; ++round) {
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

TEST_F(StaleSocketsTest, AreListedWithWhatTheyDialledAndGot) {
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
    EXPECT_EQ(socket.protocol, SHUNT_UDP);
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

TEST_F(StaleSocketsTest, AreNotListedWithoutThePrivilegeToWalkThem) {
  ServeUdp({a_});
  absl::Status status;
  std::thread([&] {
    status = KeepCapabilities({CAP_BPF, CAP_NET_ADMIN});
    if (status.ok()) status = ReadSockets(bpffs()).status();
  }).join();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_NE(status.message().find("CAP_PERFMON"), std::string::npos) << status;
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

}  // namespace
}  // namespace shunt::testing
