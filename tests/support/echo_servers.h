// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_ECHO_SERVERS_H_
#define SHUNT_TESTS_SUPPORT_ECHO_SERVERS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "shunt/types.h"
#include "tests/support/socket_address.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {

// Where to listen: SHUNT_TCP or SHUNT_UDP. `mptcp`: accept MPTCP as such.
struct Listener {
  HostPort at;
  shunt_protocol protocol = SHUNT_TCP;
  bool mptcp = false;
};

// Servers in the network namespace of the thread that starts them, on
// addresses that it puts on `lo` first. Whoever connects to one, or sends it a
// datagram, is told its "ip:port" and so learns who served him. One thread
// serves them all; they go with the object.
class EchoServers {
 public:
  static absl::StatusOr<std::unique_ptr<EchoServers>> Start(const std::vector<Listener>& listeners);
  ~EchoServers();

  // Connections accepted and datagrams answered. Thread-safe.
  uint64_t served() const { return served_.load(); }

 private:
  struct Socket {
    UniqueFd fd;
    std::string name;
    enum { kListener, kDatagrams, kConnection } kind;
  };

  EchoServers(UniqueFd epoll, UniqueFd stop);
  absl::Status Listen(const Listener& listener);
  absl::Status Watch(Socket socket);
  void Serve();
  void Handle(int fd);
  void Accept(const Socket& listener);
  void Answer(const Socket& socket);

  UniqueFd epoll_, stop_;
  std::unordered_map<int, Socket> sockets_;
  std::atomic<uint64_t> served_ = 0;
  std::thread thread_;
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_ECHO_SERVERS_H_
