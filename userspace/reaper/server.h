// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_REAPER_SERVER_H_
#define SHUNT_REAPER_SERVER_H_

#include <list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "userspace/base/unique_fd.h"
#include "userspace/reaper/reaper.h"

namespace shunt {

// Waits on a UNIX socket for who asks for a look, and tells all who are
// connected what became of it. Who asks while a look is under way shares the
// next one. Nobody who connects can hold up the others or make it do anything
// else. Belongs to one thread.
class ReaperServer {
 public:
  // Serves whoever connects to `listener` until `stop` becomes readable.
  ReaperServer(UniqueFd listener, UniqueFd stop, Reaper& reaper);

  absl::Status Run();

 private:
  absl::Status WaitForSomething();
  void Accept();
  void Listen(UniqueFd& client);
  void Look();

  const UniqueFd listener_, stop_;
  Reaper& reaper_;
  std::list<UniqueFd> clients_;
  bool asked_ = true;  // by us: at the start
  bool stopped_ = false;
  absl::Time again_ = absl::InfiniteFuture();
};

}  // namespace shunt

#endif  // SHUNT_REAPER_SERVER_H_
