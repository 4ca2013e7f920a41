// SPDX-License-Identifier: Apache-2.0
#include "userspace/reaper/reaper_client.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/status.h"
#include "userspace/reaper/packet_socket.h"
#include "userspace/reaper/report.h"

namespace shunt {
namespace {

// A node without a reaper is no reason to wake up every second.
constexpr absl::Duration kLastRetry = absl::Seconds(30);

int MillisecondsUntil(absl::Time time) {
  const absl::Duration left = std::max(time - absl::Now(), absl::ZeroDuration());
  return static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))));
}

ReaperClient::State StateOf(const ReaperReport& report) {
  if (!report.off.empty()) return {.ending = "off: " + report.off, .ended = report.ended};
  if (report.unreachable == 0) return {.ending = "on", .ended = report.ended};
  return {.ending = absl::StrCat("on, but ", report.unreachable,
                                 " sockets could not be ended: ", report.problem),
          .ended = report.ended};
}

}  // namespace

ReaperClient::ReaperClient(std::string socket, OnChange on_change)
    : socket_(std::move(socket)),
      on_change_(std::move(on_change)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      state_{.ending = "off: the reaper has not been asked yet"},
      thread_([this] { Run(); }) {}

ReaperClient::~ReaperClient() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  Look();
  thread_.join();
}

void ReaperClient::Look() { eventfd_write(wake_.get(), 1); }

ReaperClient::State ReaperClient::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

void ReaperClient::Run() {
  while (true) {
    if (!reaper_.ok() && absl::Now() >= connect_at_) Connect();
    pollfd waited[] = {{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                       {.fd = reaper_.get(), .events = POLLIN, .revents = 0}};  // -1: ignored
    poll(waited, 2, reaper_.ok() ? -1 : MillisecondsUntil(connect_at_));
    {
      absl::MutexLock lock(&mutex_);
      if (stop_) return;
    }
    eventfd_t asked = 0;
    if (eventfd_read(wake_.get(), &asked) == 0) Ask();
    if (waited[1].revents != 0) Hear();
  }
}

// Whoever connects asks at once: what was freed while nobody listened.
void ReaperClient::Connect() {
  connect_at_ = absl::Now() + retry_;
  retry_ = std::min(retry_ * 2, kLastRetry);
  absl::StatusOr<UniqueFd> reaper = ConnectPacketSocket(socket_);
  if (!reaper.ok()) {
    Lose(absl::StrCat("no reaper listens (", reaper.status().message(), ")"));
    return;
  }
  reaper_ = *std::move(reaper);
  Ask();
}

// Where it cannot be sent, many that ask for the same wait to be read.
void ReaperClient::Ask() {
  if (reaper_.ok()) SendPacket(reaper_.get(), kLookNow);
}

void ReaperClient::Hear() {
  const std::optional<std::string> packet = ReceivePacket(reaper_.get());
  if (!packet.has_value()) return;
  if (packet->empty()) return Lose(absl::StrCat("the reaper on ", socket_, " has ended"));
  const absl::StatusOr<ReaperReport> report = ReaperReport::FromPacket(*packet);
  if (!report.ok()) return Lose(absl::StrCat(socket_, ": ", report.status().message()));
  retry_ = kFirstRetry;
  Become(StateOf(*report));
}

void ReaperClient::Lose(std::string_view reason) {
  reaper_ = UniqueFd();
  Become({.ending = absl::StrCat("off: ", Absl(reason)), .ended = state().ended});
}

void ReaperClient::Become(State state) {
  {
    absl::MutexLock lock(&mutex_);
    if (state == state_) return;
    state_ = state;
  }
  on_change_(state);
}

}  // namespace shunt
