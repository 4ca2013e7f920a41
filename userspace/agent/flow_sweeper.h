// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_FLOW_SWEEPER_H_
#define SHUNT_AGENT_FLOW_SWEEPER_H_

#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"

namespace shunt {

// Removes flows of packets that are over from the kernel's table: a pass every
// few seconds, at most 100,000 entries a second, on a thread of its own.
class FlowSweeper {
 public:
  // Of the table that is, or will be, pinned in `bpffs`.
  explicit FlowSweeper(std::string bpffs);
  ~FlowSweeper();
  FlowSweeper(const FlowSweeper&) = delete;
  FlowSweeper& operator=(const FlowSweeper&) = delete;

 private:
  void Run();
  absl::Status Pass();

  const std::string bpffs_;
  absl::Notification stop_;
  std::thread thread_;
};

}  // namespace shunt

#endif  // SHUNT_AGENT_FLOW_SWEEPER_H_
