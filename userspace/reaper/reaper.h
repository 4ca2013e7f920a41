// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_REAPER_REAPER_H_
#define SHUNT_REAPER_REAPER_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "userspace/datapath/stale_sockets.h"
#include "userspace/reaper/report.h"

namespace shunt {

// When to look for sockets whose backend is gone: whenever somebody asks, and a
// few times more where one look could not decide. Belongs to one thread.
class Reaper {
 public:
  using Loader = std::function<absl::StatusOr<std::unique_ptr<StaleSockets>>()>;

  // `load` is called for the first look, and again when other maps are pinned.
  explicit Reaper(Loader load) : load_(std::move(load)) {}

  // Somebody asked: looks now.
  void Look();
  // Looks again. To be called `again_in()` after the last look.
  void LookAgain();
  absl::Duration again_in() const { return again_in_; }

  const ReaperReport& report() const { return report_; }

 private:
  absl::StatusOr<StaleSockets::Result> End();

  const Loader load_;
  std::unique_ptr<StaleSockets> sockets_;
  ReaperReport report_;
  size_t repeats_ = 0;  // since somebody asked
  absl::Duration again_in_ = absl::InfiniteDuration();
};

}  // namespace shunt

#endif  // SHUNT_REAPER_REAPER_H_
