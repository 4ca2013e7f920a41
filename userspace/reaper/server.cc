// SPDX-License-Identifier: Apache-2.0
#include "userspace/reaper/server.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "userspace/base/status.h"
#include "userspace/reaper/packet_socket.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

constexpr size_t kMostClients = 16;  // an agent, its successor, a curious operator

int MillisecondsUntil(absl::Time time) {
  if (time == absl::InfiniteFuture()) return -1;
  const absl::Duration left = std::max(time - absl::Now(), absl::ZeroDuration());
  return static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))));
}

}  // namespace

ReaperServer::ReaperServer(UniqueFd listener, UniqueFd stop, Reaper& reaper)
    : listener_(std::move(listener)), stop_(std::move(stop)), reaper_(reaper) {}

absl::Status ReaperServer::Run() {
  while (true) {
    if (asked_ || absl::Now() >= again_) Look();
    SHUNT_RETURN_IF_ERROR(WaitForSomething());
    if (stopped_) return absl::OkStatus();
  }
}

absl::Status ReaperServer::WaitForSomething() {
  std::vector<pollfd> waited = {{.fd = stop_.get(), .events = POLLIN, .revents = 0},
                                {.fd = listener_.get(), .events = POLLIN, .revents = 0}};
  for (const UniqueFd& client : clients_) {
    waited.push_back({.fd = client.get(), .events = POLLIN, .revents = 0});
  }
  if (poll(waited.data(), waited.size(), MillisecondsUntil(again_)) < 0 && errno != EINTR) {
    return ErrnoStatus("poll");
  }
  stopped_ = waited[0].revents != 0;
  size_t i = 2;
  for (UniqueFd& client : clients_) {
    if (waited[i++].revents != 0) Listen(client);
  }
  clients_.remove_if([](const UniqueFd& client) { return !client.ok(); });
  if (waited[1].revents != 0) Accept();
  return absl::OkStatus();
}

void ReaperServer::Accept() {
  UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!client.ok()) return;
  if (clients_.size() == kMostClients) {
    LogWarning("too many clients, one is turned away", {{"limit", kMostClients}});
    return;
  }
  SendPacket(client.get(), reaper_.report().ToPacket());
  clients_.push_back(std::move(client));
}

// All that it has said; closes it where it is gone or says what nobody says.
void ReaperServer::Listen(UniqueFd& client) {
  while (const std::optional<std::string> packet = ReceivePacket(client.get())) {
    if (*packet != kLookNow) {
      client = UniqueFd();
      return;
    }
    asked_ = true;
  }
}

void ReaperServer::Look() {
  if (std::exchange(asked_, false)) {
    reaper_.Look();
  } else {
    reaper_.LookAgain();
  }
  again_ = absl::Now() + reaper_.again_in();
  // A report that one cannot take is in the next one as well.
  for (const UniqueFd& client : clients_) SendPacket(client.get(), reaper_.report().ToPacket());
}

}  // namespace shunt
