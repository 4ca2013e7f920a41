// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "tests/bpf/stale_sockets.h"

namespace shunt::testing {
namespace {

// Connections to it stay open: EchoServers hang up once they have answered.
class QuietServer {
 public:
  explicit QuietServer(const HostPort& at) {
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

class StaleTcp : public StaleSocketsTest {
 protected:
  const HostPort quiet_ = HostPort::Of("10.244.1.1:8081");
};

TEST_F(StaleTcp, AConnectionLivesAsLongAsItsPod) {
  const QuietServer server(quiet_);
  ServeTcp({quiet_}, /*ends_tcp=*/false);
  const UniqueFd client = Dialled(vip_, Transport::kTcp);
  ServeTcp({b_}, false);
  EXPECT_EQ(Ended(), 0u);
  EXPECT_TRUE(LivesOn(client));
  EXPECT_EQ(PeerName(client.get()), vip_.ToString());
}

TEST_F(StaleTcp, AConnectionEndsAtOnceWhereItsServiceWantsThat) {
  const QuietServer server(quiet_);
  ServeTcp({quiet_}, /*ends_tcp=*/true);
  const UniqueFd client = Dialled(vip_, Transport::kTcp), direct = Dialled(quiet_, Transport::kTcp);
  EXPECT_EQ(Ended(), 0u);
  ServeTcp({b_}, true);
  EXPECT_EQ(Ended(), 1u);
  EXPECT_EQ(ReceiveError(client, MSG_DONTWAIT), ECONNABORTED);
  EXPECT_EQ(SendError(client), EPIPE);
  EXPECT_TRUE(LivesOn(direct));
  EXPECT_EQ(Ended(), 0u) << "it is ended once";
}

TEST_F(StaleTcp, AConnectionToAPodThatOnlyTakesNoMoreLivesOn) {
  const QuietServer server(quiet_);
  ServeTcp({quiet_}, /*ends_tcp=*/true);
  const UniqueFd client = Dialled(vip_, Transport::kTcp);
  // Terminating: it is in no list any more, and is there.
  const ServiceSpec spec = {"web", SHUNT_TCP, {vip_}, {quiet_, b_}};
  ServicePortState state = *StateOf(spec);
  state.ends_tcp = true;
  state.backends[0].in_cluster_list = false;
  ApplyChanges({.changed = {{NameOf(spec), std::make_shared<const ServicePortState>(state)}}});
  EXPECT_EQ(Dial(vip_).answer, b_.ToString());
  EXPECT_EQ(Ended(), 0u);
  EXPECT_TRUE(LivesOn(client));
}

// README.md of bpf/ says why.
TEST_F(StaleTcp, AnMptcpConnectionLivesOn) {
  const QuietServer server(quiet_);
  ServeTcp({quiet_}, /*ends_tcp=*/true);
  const UniqueFd client = Dialled(vip_, Transport::kMptcp);
  ServeTcp({b_}, true);
  EXPECT_EQ(Ended(), 0u);
  EXPECT_TRUE(LivesOn(client));
}

}  // namespace
}  // namespace shunt::testing
