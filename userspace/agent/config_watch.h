// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_CONFIG_WATCH_H_
#define SHUNT_AGENT_CONFIG_WATCH_H_

#include <atomic>
#include <string>

#include "userspace/agent/options.h"

namespace shunt {

// The files of configuration while the agent runs. What is harmless in them (the
// log's verbosity) is taken at once; what is not waits for a restart, and
// everybody is told.
class ConfigWatch {
 public:
  explicit ConfigWatch(const Options& options);

  // Reads them; true where differs() has become another. Called by one thread,
  // from time to time: files of a ConfigMap are links to links, which no watch
  // follows in all file systems.
  bool Reread();
  // Whether they mean something else than what the agent runs with, or nothing
  // any more. From any thread.
  bool differs() const { return differs_; }

 private:
  const std::vector<std::string> paths_;
  const LogFormat log_format_;
  const bool takes_verbosity_;  // the command line does not say it
  const std::string meaning_;
  std::atomic<bool> differs_ = false;
};

}  // namespace shunt

#endif  // SHUNT_AGENT_CONFIG_WATCH_H_
