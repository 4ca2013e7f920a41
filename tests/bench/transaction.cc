// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/transaction.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/benchmark.h"
#include "tests/bench/cluster.h"
#include "tests/support/command.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt::bench {
namespace {

void Check(bool ok, const char* what) {
  if (ok) return;
  perror(what);
  abort();
}

// Sockets in TIME_WAIT and metrics kept of peers would make windows depend on
// those before them.
absl::Status CalmTcp() {
  return testing::MustRun({"sysctl", "-q", "-w", "net.ipv4.tcp_max_tw_buckets=0",
                           "net.ipv4.tcp_no_metrics_save=1",
                           "net.ipv4.ip_local_port_range=1024 65535"});
}

absl::Status Ip(const std::string& batch) {
  return testing::MustRun({"ip", "-batch", "-"}, {.input = batch});
}

UniqueFd Listen() {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any = {};
  any.sin_family = AF_INET;
  any.sin_port = htons(kEndpointPort);
  Check(bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)) == 0, "bind");
  Check(listen(fd.get(), 64) == 0, "listen");
  return fd;
}

[[noreturn]] void Serve(int listener) {
  char byte = 0;
  Check(PinToLastCpu().ok(), "pin");
  while (true) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) _exit(1);
    while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1) {
    }
    close(fd);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<TwoPods>> TwoPods::Make() {
  SHUNT_ASSIGN_OR_RETURN(testing::NetNamespace client, testing::NetNamespace::Make());
  SHUNT_ASSIGN_OR_RETURN(testing::NetNamespace server, testing::NetNamespace::Make());
  std::unique_ptr<TwoPods> pods(new TwoPods(std::move(client), std::move(server)));
  SHUNT_RETURN_IF_ERROR(pods->Wire());
  SHUNT_RETURN_IF_ERROR(pods->StartServer());
  return pods;
}

absl::Status TwoPods::Wire() const {
  SHUNT_RETURN_IF_ERROR(client_.Connect("client", "10.9.1.1/24", "10.9.1.2/24"));
  SHUNT_RETURN_IF_ERROR(server_.Connect("server", "10.9.2.1/24", "10.9.2.2/24"));
  SHUNT_RETURN_IF_ERROR(testing::MustRun({"sysctl", "-q", "-w", "net.ipv4.ip_forward=1"}));
  SHUNT_RETURN_IF_ERROR(Ip(absl::StrCat("route add ", kPodNetwork, " via 10.9.2.2\n")));
  absl::Status status;
  client_.Run([&] { status = CalmTcp(); });
  SHUNT_RETURN_IF_ERROR(status);
  server_.Run([&] {
    status = CalmTcp();
    if (status.ok()) status = Ip(absl::StrCat("route add local ", kPodNetwork, " dev lo\n"));
  });
  return status;
}

absl::Status TwoPods::StartServer() {
  server_.Run([&] {
    const UniqueFd listener = Listen();
    server_process_ = fork();
    if (server_process_ == 0) Serve(listener.get());
  });
  return server_process_ > 0 ? absl::OkStatus() : ErrnoStatus("fork");
}

TwoPods::~TwoPods() {
  if (server_process_ <= 0) return;
  kill(server_process_, SIGKILL);
  waitpid(server_process_, nullptr, 0);
}

void TwoPods::RunClient(absl::FunctionRef<void()> client) const {
  client_.Run([&] {
    Check(PinToLastCpu().ok(), "pin");
    client();
  });
}

double TwoPods::CpuNs() const {
  clockid_t server = 0;
  Check(clock_getcpuclockid(server_process_, &server) == 0, "CPU clock of the server");
  return bench::CpuNs() + ClockNs(server);
}

const sockaddr* Dialler::Next() {
  if (next_ == targets_.size()) next_ = 0;
  return reinterpret_cast<const sockaddr*>(&targets_[next_++]);
}

void Dialler::Transact() {
  char byte = 'x';
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  Check(connect(fd, Next(), sizeof(sockaddr_in)) == 0, "connect");
  Check(write(fd, &byte, 1) == 1, "write");
  Check(read(fd, &byte, 1) == 1, "read");
  close(fd);
}

double Dialler::TransactionsPerSecond(const TwoPods& pods, absl::Duration window) {
  const double start = pods.CpuNs(), end = NowNs() + absl::ToDoubleNanoseconds(window);
  double count = 0;
  for (; NowNs() < end; ++count) Transact();
  return count / (pods.CpuNs() - start) * 1e9;
}

double Dialler::NsPerConnect(Sockets sockets, int count) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  const double start = bench::CpuNs();
  for (int i = 0; i < count; ++i) {
    if (sockets == Sockets::kFresh && i > 0) {
      close(fd);
      fd = socket(AF_INET, SOCK_DGRAM, 0);
    }
    Check(connect(fd, Next(), sizeof(sockaddr_in)) == 0, "connect");
  }
  const double ns = bench::CpuNs() - start;
  close(fd);
  return ns / count;
}

}  // namespace shunt::bench
