// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_BACKOFF_H_
#define SHUNT_SOURCES_KUBERNETES_BACKOFF_H_

#include <functional>
#include <utility>

#include "absl/time/time.h"

namespace shunt {

// How long to wait before something that failed is tried again: client-go's
// numbers, from 0.8 to 1.6 s up to 30 to 60 s, so that a thousand nodes that lost
// their server at once come back one after the other.
class Backoff {
 public:
  // `random`: between 0 and 1.
  explicit Backoff(std::function<double()> random) : random_(std::move(random)) {}

  absl::Duration Next(absl::Time now);
  // It went well again: what failed before is no reason to wait for long.
  void Forget() { delay_ = kFirst; }

 private:
  static constexpr absl::Duration kFirst = absl::Milliseconds(800);
  static constexpr absl::Duration kLongest = absl::Seconds(30);
  static constexpr absl::Duration kForgotten = absl::Minutes(2);

  const std::function<double()> random_;
  absl::Duration delay_ = kFirst;
  absl::Time last_ = absl::InfinitePast();
};

inline absl::Duration Backoff::Next(absl::Time now) {
  if (now - last_ > kForgotten) delay_ = kFirst;
  last_ = now;
  const absl::Duration delay = delay_ * (1 + random_());
  delay_ = std::min(delay_ * 2, kLongest);
  return delay;
}

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_BACKOFF_H_
