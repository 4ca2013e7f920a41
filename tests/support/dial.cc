// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dial.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace shunt::testing {
namespace {

constexpr char kQuestion[] = "who?";

DialResult Failed(std::string call, int error) {
  // What a blocking call says that reached its time limit.
  const bool timed_out = error == (call == "connect" ? EINPROGRESS : EAGAIN);
  return {.error = timed_out ? ETIMEDOUT : error, .call = std::move(call)};
}

int ConnectNonBlocking(int fd, const HostPort& to, const DialOptions& options) {
  fcntl(fd, F_SETFL, O_NONBLOCK);
  int error = Connect(fd, to, options.mapped);
  if (error == EINPROGRESS) {
    pollfd wanted = {.fd = fd, .events = POLLOUT, .revents = 0};
    if (poll(&wanted, 1, static_cast<int>(absl::ToInt64Milliseconds(options.limit))) != 1) {
      return ETIMEDOUT;
    }
    socklen_t length = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  }
  fcntl(fd, F_SETFL, 0);
  return error;
}

int ConnectFastOpen(int fd, const HostPort& to, bool mapped) {
  const SocketAddress address = SocketAddress::From(to, mapped);
  const ssize_t sent = sendto(fd, kQuestion, sizeof(kQuestion), MSG_FASTOPEN | MSG_NOSIGNAL,
                              address.get(), address.length);
  return sent < 0 ? errno : 0;
}

DialResult DialTcp(int fd, const HostPort& to, const DialOptions& options) {
  int error = 0;
  if (options.transport == Transport::kTcpNonBlocking) {
    error = ConnectNonBlocking(fd, to, options);
  } else if (options.transport == Transport::kTcpFastOpen) {
    error = ConnectFastOpen(fd, to, options.mapped);
  } else {
    error = Connect(fd, to, options.mapped);
  }
  if (error != 0) return Failed("connect", error);
  DialResult result;
  char buffer[128];
  ssize_t n;
  while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) result.answer.append(buffer, n);
  if (n < 0) return Failed("recv", errno);
  result.peer = PeerName(fd);
  // A reset leaves no TIME_WAIT: the next of very many connections has a port.
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  return result;
}

DialResult DialUdp(int fd, const HostPort& to, const DialOptions& options) {
  if (options.transport == Transport::kUdpConnected) {
    if (int error = Connect(fd, to, options.mapped); error != 0) return Failed("connect", error);
    if (send(fd, kQuestion, sizeof(kQuestion), 0) < 0) return Failed("send", errno);
  } else if (int error = SendTo(fd, to, kQuestion, options.mapped); error != 0) {
    return Failed("sendto", error);
  }
  DialResult result = ReceiveFrom(fd);
  if (result.error == 0) result.peer = PeerName(fd);
  return result;
}

}  // namespace

bool IsUdp(Transport transport) {
  return transport == Transport::kUdp || transport == Transport::kUdpConnected;
}

std::string DialResult::ToString() const {
  if (error != 0) return absl::StrCat(call, ": ", strerror(error));
  return absl::StrCat("served by ", answer, ", peer \"", peer, "\", from \"", from, "\"");
}

UniqueFd OpenSocket(const HostPort& to, const DialOptions& options) {
  const bool is_ipv6 = options.mapped || to.address.family() == Family::kIpv6;
  UniqueFd fd(socket(is_ipv6 ? AF_INET6 : AF_INET,
                     (IsUdp(options.transport) ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC,
                     options.transport == Transport::kMptcp ? IPPROTO_MPTCP : 0));
  const timeval limit = absl::ToTimeval(options.limit);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (!options.source.has_value()) return fd;
  const SocketAddress source = SocketAddress::From({*options.source, 0}, options.mapped);
  const int on = 1;
  // The port is chosen at connect(), when the kernel knows both ends.
  setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  if (bind(fd.get(), source.get(), source.length) != 0) return UniqueFd();
  return fd;
}

int Connect(int fd, const HostPort& to, bool mapped) {
  const SocketAddress address = SocketAddress::From(to, mapped);
  return connect(fd, address.get(), address.length) == 0 ? 0 : errno;
}

int SendTo(int fd, const HostPort& to, absl::string_view text, bool mapped) {
  const SocketAddress address = SocketAddress::From(to, mapped);
  const ssize_t n = sendto(fd, text.data(), text.size(), 0, address.get(), address.length);
  return n < 0 ? errno : 0;
}

std::string PeerName(int fd) {
  SocketAddress peer;
  if (getpeername(fd, peer.get(), &peer.length) != 0) return "";
  return peer.ToHostPort().ToString();
}

DialResult ReceiveFrom(int fd, int flags) {
  char buffer[2048];
  SocketAddress from;
  const ssize_t n = recvfrom(fd, buffer, sizeof(buffer), flags, from.get(), &from.length);
  if (n < 0) return Failed("recvfrom", errno);
  DialResult result;
  result.answer.assign(buffer, n);
  result.from = from.ToHostPort().ToString();
  return result;
}

DialResult Dial(const HostPort& to, const DialOptions& options) {
  UniqueFd fd = OpenSocket(to, options);
  if (!fd.ok()) return {.error = errno, .call = "socket"};
  return IsUdp(options.transport) ? DialUdp(fd.get(), to, options) : DialTcp(fd.get(), to, options);
}

}  // namespace shunt::testing
