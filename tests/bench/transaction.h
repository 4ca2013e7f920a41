// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_TRANSACTION_H_
#define SHUNT_TESTS_BENCH_TRANSACTION_H_

#include <netinet/in.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/support/net_namespace.h"

namespace shunt::bench {

// A client and a server as pods are: client - veth - node - veth - server, each
// in a network namespace of its own; the node is the caller's. The server's
// namespace has all addresses of kPodNetwork; a server process answers there,
// on kEndpointPort, one connection at a time and one byte each.
class TwoPods {
 public:
  static absl::StatusOr<std::unique_ptr<TwoPods>> Make();
  ~TwoPods();

  // Runs `client` in the client's namespace, on the CPU of the server.
  void RunClient(absl::FunctionRef<void()> client) const;
  // CPU time of the calling thread and the server together.
  double CpuNs() const;

 private:
  TwoPods(testing::NetNamespace client, testing::NetNamespace server)
      : client_(std::move(client)), server_(std::move(server)) {}
  absl::Status Wire() const;
  absl::Status StartServer();

  testing::NetNamespace client_, server_;
  pid_t server_process_ = -1;
};

// Addresses to dial, one after the other, again from the first after the last.
class Dialler {
 public:
  explicit Dialler(std::vector<sockaddr_in> targets) : targets_(std::move(targets)) {}

  // Connects, sends a byte, receives one, closes, again and again: how many in a
  // second of CPU time of both sides, so that others on the machine take nothing
  // away. Ends the program where a call fails: such figures are worthless.
  double TransactionsPerSecond(const TwoPods& pods, absl::Duration window);

  // ns of CPU time for each connect() of a UDP socket: of one that is connected
  // again and again, or of a fresh one each, with socket() and close().
  enum class Sockets { kReused, kFresh };
  double NsPerConnect(Sockets sockets, int count);

 private:
  const sockaddr* Next();
  void Transact();

  const std::vector<sockaddr_in> targets_;
  size_t next_ = 0;
};

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_TRANSACTION_H_
