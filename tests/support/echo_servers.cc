// SPDX-License-Identifier: Apache-2.0
#include "tests/support/echo_servers.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/net_namespace.h"
#include "userspace/base/status.h"

namespace shunt::testing {
namespace {

absl::StatusOr<UniqueFd> Bind(const Listener& listener, const SocketAddress& address) {
  const bool is_udp = listener.protocol == SHUNT_UDP;
  const std::string name = absl::StrCat("listen on ", listener.at.ToString());
  UniqueFd fd(socket(address.storage.ss_family,
                     (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC,
                     listener.mptcp ? IPPROTO_MPTCP : 0));
  if (!fd.ok()) return ErrnoStatus(name);
  const int on = 1, queue = 256;
  if (!is_udp) {
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd.get(), IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
  }
  if (bind(fd.get(), address.get(), address.length) != 0) return ErrnoStatus(name);
  if (!is_udp && listen(fd.get(), 4096) != 0) return ErrnoStatus(name);
  return fd;
}

}  // namespace

EchoServers::EchoServers(UniqueFd epoll, UniqueFd stop)
    : epoll_(std::move(epoll)), stop_(std::move(stop)) {}

absl::StatusOr<std::unique_ptr<EchoServers>> EchoServers::Start(
    const std::vector<Listener>& listeners) {
  std::vector<IpAddress> addresses;
  for (const Listener& listener : listeners) addresses.push_back(listener.at.address);
  SHUNT_RETURN_IF_ERROR(AddLoopbackAddresses(addresses));
  std::unique_ptr<EchoServers> servers(
      new EchoServers(UniqueFd(epoll_create1(EPOLL_CLOEXEC)), UniqueFd(eventfd(0, EFD_CLOEXEC))));
  epoll_event event = {.events = EPOLLIN, .data = {.fd = servers->stop_.get()}};
  if (epoll_ctl(servers->epoll_.get(), EPOLL_CTL_ADD, servers->stop_.get(), &event) != 0) {
    return ErrnoStatus("epoll");
  }
  for (const Listener& listener : listeners) SHUNT_RETURN_IF_ERROR(servers->Listen(listener));
  servers->thread_ = std::thread([&s = *servers] { s.Serve(); });
  return servers;
}

EchoServers::~EchoServers() {
  const uint64_t one = 1;
  if (!thread_.joinable()) return;
  if (write(stop_.get(), &one, sizeof(one)) == sizeof(one)) thread_.join();
}

absl::Status EchoServers::Listen(const Listener& listener) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, Bind(listener, SocketAddress::From(listener.at)));
  return Watch({.fd = std::move(fd),
                .name = listener.at.ToString(),
                .kind = listener.protocol == SHUNT_UDP ? Socket::kDatagrams : Socket::kListener});
}

absl::Status EchoServers::Watch(Socket socket) {
  const int fd = socket.fd.get();
  epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return ErrnoStatus("epoll");
  sockets_[fd] = std::move(socket);
  return absl::OkStatus();
}

void EchoServers::Serve() {
  epoll_event events[64];
  while (true) {
    const int count = epoll_wait(epoll_.get(), events, 64, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == stop_.get()) return;
      Handle(events[i].data.fd);
    }
  }
}

void EchoServers::Handle(int fd) {
  const auto socket = sockets_.find(fd);
  if (socket == sockets_.end()) return;
  char buffer[4096];
  switch (socket->second.kind) {
    case Socket::kListener:
      return Accept(socket->second);
    case Socket::kDatagrams:
      return Answer(socket->second);
    case Socket::kConnection:
      // Until the client closes, so that no reset overtakes the answer.
      if (read(fd, buffer, sizeof(buffer)) <= 0) sockets_.erase(socket);
  }
}

void EchoServers::Accept(const Socket& listener) {
  const std::string name = listener.name;  // `listener` moves when sockets_ grows
  const int fd = listener.fd.get();
  while (true) {
    UniqueFd connection(accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!connection.ok()) return;
    ++served_;
    if (write(connection.get(), name.data(), name.size()) < 0) continue;
    shutdown(connection.get(), SHUT_WR);
    Watch({.fd = std::move(connection), .name = "", .kind = Socket::kConnection}).IgnoreError();
  }
}

void EchoServers::Answer(const Socket& socket) {
  char buffer[2048];
  SocketAddress client;
  while (recvfrom(socket.fd.get(), buffer, sizeof(buffer), 0, client.get(), &client.length) >= 0) {
    ++served_;
    sendto(socket.fd.get(), socket.name.data(), socket.name.size(), 0, client.get(), client.length);
    client.length = sizeof(client.storage);
  }
}

}  // namespace shunt::testing
