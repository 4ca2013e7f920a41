// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_NETNS_H_
#define SHUNT_BASE_NETNS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace shunt {

// A network namespace that somebody can reach.
struct Netns {
  std::string path;  // to open
  std::string name;  // for people: "pod-a" of /run/netns, "nginx (1234)" of a process
};

// All that have a name in /run/netns or a process that /proc shows, by their
// inode number. What comes and goes meanwhile may be missing.
std::map<uint64_t, Netns> ListNetns();

// Moves the calling thread there, and threads that it starts later. Needs
// CAP_SYS_ADMIN.
absl::Status EnterNetns(const std::string& path);

// Runs `function` in the namespace, in a thread of its own, and waits for it.
// Needs CAP_SYS_ADMIN.
absl::Status RunInNetns(const std::string& path, absl::FunctionRef<void()> function);

// SO_NETNS_COOKIE of the calling thread's namespace; 0 where the kernel cannot
// say (before 5.14).
uint64_t OwnNetnsCookie();

}  // namespace shunt

#endif  // SHUNT_BASE_NETNS_H_
