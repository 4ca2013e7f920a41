// SPDX-License-Identifier: Apache-2.0
#include "userspace/reaper/reaper.h"

#include <iterator>

#include "userspace/base/status.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

// StaleSockets::End() waits for the programs, so what a connect() chose is on
// record. But the kernel connects a UDP socket only some time after the program
// at connect() has ended: between the two it may sleep for memory, or not get a
// CPU. Such a socket has a record of a gone backend and is not connected. So has
// one that hung up since, for as long as it is open, and the two cannot be told
// apart: hence a few looks, not looks for as long as there is one.
constexpr absl::Duration kRepeats[] = {absl::Milliseconds(10), absl::Milliseconds(100),
                                       absl::Seconds(1), absl::Seconds(10)};

}  // namespace

void Reaper::Look() {
  repeats_ = 0;
  LookAgain();
}

void Reaper::LookAgain() {
  const absl::StatusOr<StaleSockets::Result> result = End();
  again_in_ = absl::InfiniteDuration();
  if (!result.ok()) {
    const std::string reason(result.status().message());
    if (reason != report_.off) LogWarning("no socket is ended", {{"err", result.status()}});
    report_ = {.off = reason, .ended = report_.ended};
    return;
  }
  report_ = {.off = "",
             .ended = report_.ended + result->ended,
             .unreachable = result->unreachable,
             .problem = result->problem};
  LogVerbose(2, "looked",
             {{"ended", result->ended},
              {"undecided", result->undecided},
              {"unreachable", result->unreachable}});
  if (result->undecided + result->unreachable == 0) return;
  if (repeats_ < std::size(kRepeats)) again_in_ = kRepeats[repeats_++];
}

absl::StatusOr<StaleSockets::Result> Reaper::End() {
  if (sockets_ != nullptr && !sockets_->IsCurrent()) sockets_ = nullptr;
  if (sockets_ == nullptr) {
    SHUNT_ASSIGN_OR_RETURN(sockets_, load_());
    LogInfo("loaded");
  }
  return sockets_->End();
}

}  // namespace shunt
