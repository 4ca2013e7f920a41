// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_STALE_SOCKETS_H_
#define SHUNT_DATAPATH_STALE_SOCKETS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace shunt {

// Ends the sockets whose backend is gone: connected UDP sockets, and TCP
// connections of Services that want it so. Which ones is decided by the programs
// of bpf/reap.bpf.c, from the pinned maps alone; a network namespace is entered
// only where they found one.
//
// Needs CAP_SYS_ADMIN, and CAP_SYS_PTRACE for namespaces that have no name in
// /run/netns. Belongs to one thread.
class StaleSockets {
 public:
  struct Result {
    uint64_t ended = 0;
    // Sockets that are to be ended, and are not connected: those whose connect()
    // is on the way were missed. Worth another look a little later.
    uint64_t undecided = 0;
    // Sockets in namespaces that could not be entered.
    uint64_t unreachable = 0;
    std::string problem;  // why; the first reason
  };

  // Loads the programs, on the maps that are pinned in `bpffs`. NotFound where
  // nothing is pinned. FailedPrecondition: the kernel is too old (before 6.5), or
  // another version of Shunt laid out the maps. PermissionDenied.
  static absl::StatusOr<std::unique_ptr<StaleSockets>> Load(const std::string& bpffs);

  virtual ~StaleSockets() = default;

  // Ends all sockets that chose a backend before it was freed, if it was freed
  // before this call, and that are connected to it; waits for an RCU grace
  // period first (5 to 18 ms).
  virtual absl::StatusOr<Result> End() = 0;
  // Whether what is pinned still is what was loaded.
  virtual bool IsCurrent() const = 0;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_STALE_SOCKETS_H_
