// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/netns_names.h"

#include "userspace/base/netns.h"

namespace shunt {

std::map<uint64_t, std::string> NetnsNames() {
  std::map<uint64_t, std::string> names = {{OwnNetnsCookie(), "host"}};
  for (const auto& [inode, netns] : ListNetns()) {
    uint64_t cookie = 0;
    // One that went meanwhile has no name; nor has any without the right to ask.
    if (!RunInNetns(netns.path, [&] { cookie = OwnNetnsCookie(); }).ok()) continue;
    names.try_emplace(cookie, netns.name);
  }
  return names;
}

}  // namespace shunt
