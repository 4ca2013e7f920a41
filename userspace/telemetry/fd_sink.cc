// SPDX-License-Identifier: Apache-2.0
#include "userspace/telemetry/fd_sink.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string_view>

namespace shunt {

FdSink::FdSink(int fd) : fd_(fd), stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

bool FdSink::WaitUntilHandled(uint64_t count, absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto handled = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return handled_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&handled), timeout);
}

void FdSink::Stop() { eventfd_write(stop_.get(), 1); }

void FdSink::sink_it_(const spdlog::details::log_msg& message) {
  WriteAll({message.payload.data(), message.payload.size()});
  absl::MutexLock lock(&mutex_);
  ++handled_;
}

// False: told to stop, or there is no reader any more.
bool FdSink::WaitUntilWritable() {
  pollfd fds[] = {{.fd = stop_.get(), .events = POLLIN}, {.fd = fd_, .events = POLLOUT}};
  while (poll(fds, 2, -1) < 0) {
    if (errno != EINTR) return false;
  }
  return fds[0].revents == 0 && (fds[1].revents & POLLOUT) != 0;
}

// In pieces of PIPE_BUF bytes: a pipe that poll() calls writable takes as many
// at once. What cannot be written is dropped: there is nowhere to report it.
void FdSink::WriteAll(std::string_view text) {
  while (!text.empty() && WaitUntilWritable()) {
    const ssize_t written = write(fd_, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return;
    text.remove_prefix(std::max<ssize_t>(written, 0));
  }
}

}  // namespace shunt
