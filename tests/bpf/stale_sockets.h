// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BPF_STALE_SOCKETS_H_
#define SHUNT_TESTS_BPF_STALE_SOCKETS_H_

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/net_namespace.h"
#include "tests/support/resident.h"
#include "userspace/datapath/stale_sockets.h"

namespace shunt::testing {

// Whether this kernel has bpf_sock_destroy().
inline bool KernelCanEndSockets() {
  utsname name = {};
  int major = 0, minor = 0;
  uname(&name);
  sscanf(name.release, "%d.%d", &major, &minor);
  return std::pair(major, minor) >= std::pair(6, 5);
}

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
    if (!KernelCanEndSockets()) GTEST_SKIP() << "needs bpf_sock_destroy(), Linux 6.5";
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

inline int ReceiveError(const UniqueFd& fd, int flags = 0) {
  char buffer[64];
  return recv(fd.get(), buffer, sizeof(buffer), flags) < 0 ? errno : 0;
}

inline int SendError(const UniqueFd& fd) {
  return send(fd.get(), "?", 1, MSG_NOSIGNAL) < 0 ? errno : 0;
}

// Nothing has come, and the socket has no error.
inline bool LivesOn(const UniqueFd& fd) { return ReceiveError(fd, MSG_DONTWAIT) == EAGAIN; }

// A connected UDP socket that was ended, as its application sees it.
inline void ExpectEnded(const UniqueFd& fd) {
  EXPECT_EQ(ReceiveError(fd, MSG_DONTWAIT), ECONNABORTED);
  EXPECT_EQ(SendError(fd), EDESTADDRREQ);
}

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_BPF_STALE_SOCKETS_H_
