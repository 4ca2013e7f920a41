// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_REAPER_REAPER_CLIENT_H_
#define SHUNT_REAPER_REAPER_CLIENT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "userspace/base/unique_fd.h"

namespace shunt {

// The agent's end of the reaper's socket: asks for looks, and knows whether
// there is a reaper. A thread of its own talks to it, and waits for one to come
// where there is none. Thread-safe.
class ReaperClient {
 public:
  struct State {
    std::string ending;  // "on", "on, but ...", or "off: " and why
    uint64_t ended = 0;  // sockets, since the reaper started
    friend bool operator==(const State&, const State&) = default;
  };
  // Called from the client's thread when the state is another one; must not block.
  using OnChange = std::function<void(const State& state)>;

  ReaperClient(std::string socket, OnChange on_change);
  ~ReaperClient();

  // Backends are gone: their sockets should be looked for. Never waits.
  void Look();
  State state() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // When to knock again where nobody listens, or who listens hangs up: soon, then
  // less often.
  static constexpr absl::Duration kFirstRetry = absl::Seconds(1);

  void Run();
  void Connect();
  void Ask();
  void Hear();
  void Become(State state) ABSL_LOCKS_EXCLUDED(mutex_);
  void Lose(std::string_view reason);

  const std::string socket_;
  const OnChange on_change_;
  const UniqueFd wake_;  // eventfd: somebody asks, or it is the end
  // Of the thread.
  UniqueFd reaper_;
  absl::Time connect_at_ = absl::InfinitePast();
  absl::Duration retry_ = kFirstRetry;  // from the next try to the one after

  mutable absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  State state_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace shunt

#endif  // SHUNT_REAPER_REAPER_CLIENT_H_
