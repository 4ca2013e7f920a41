// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_DIAL_H_
#define SHUNT_TESTS_SUPPORT_DIAL_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/support/socket_address.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {

// How a client reaches its server.
enum class Transport {
  kTcp,             // connect() waits
  kTcpNonBlocking,  // connect() returns EINPROGRESS, poll() waits
  kTcpFastOpen,     // sendto(MSG_FASTOPEN) connects
  kMptcp,
  kUdp,           // sendto() and recvfrom()
  kUdpConnected,  // connect(), send() and recv()
};

struct DialOptions {
  Transport transport = Transport::kTcp;
  bool mapped = false;              // an IPv6 socket dials ::ffff:a.b.c.d
  std::optional<IpAddress> source;  // bound first; must be on an interface
  absl::Duration limit = absl::Seconds(10);
};

// What a client saw.
struct DialResult {
  int error = 0;       // errno of the call that failed; ETIMEDOUT after the limit
  std::string call;    // which one it was
  std::string answer;  // who served it, as EchoServers says: "ip:port"
  std::string peer;    // getpeername(), "" on an unconnected socket
  std::string from;    // where recvfrom() says that the answer came from, "" for TCP

  std::string ToString() const;
};

// Connects, asks and hangs up. Thread-safe.
DialResult Dial(const HostPort& to, const DialOptions& options = {});

// The steps, for tests that need the socket in between. All have the limit as
// SO_RCVTIMEO and SO_SNDTIMEO.
UniqueFd OpenSocket(const HostPort& to, const DialOptions& options);
int Connect(int fd, const HostPort& to, bool mapped = false);                         // 0 or errno
int SendTo(int fd, const HostPort& to, absl::string_view text, bool mapped = false);  // 0 or errno
// The peer's name as the application sees it, "" where there is none.
std::string PeerName(int fd);
// Receives one datagram. `call` is "recvfrom" where it fails.
DialResult ReceiveFrom(int fd, int flags = 0);

bool IsUdp(Transport transport);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_DIAL_H_
