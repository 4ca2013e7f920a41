// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_CONFIG_WATCH_H_
#define SHUNT_AGENT_CONFIG_WATCH_H_

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "userspace/agent/options.h"

namespace shunt {

// The files of configuration while the agent runs. What is harmless in them is
// taken at once: the log's verbosity, where metrics are, and syncPeriod, which is
// the patience of /healthz. What is not waits for a restart, and everybody is told.
class ConfigWatch {
 public:
  // Called by Reread(): something harmless is different. `config` is what the agent
  // runs with from now on.
  using OnHarmless = std::function<void(const ProxyConfig& config)>;

  ConfigWatch(const Options& options, OnHarmless on_harmless);

  // Reads them; true where they mean something else than when they were last read,
  // but for what was taken. Called by one thread, from time to time: files of a
  // ConfigMap are links to links, which no watch follows in all file systems.
  bool Reread();
  // Whether they mean something else than what the agent runs with, or nothing
  // any more. From any thread.
  bool differs() const { return differs_; }

 private:
  void Take(const ProxyConfig& now);

  const std::vector<std::string> paths_;
  const OnHarmless on_harmless_;
  const LogFormat log_format_;
  const bool takes_verbosity_;  // the command line does not say it
  bool takes_fields_ = false;   // nor the others, which are kube-proxy's
  std::string meaning_;         // at the start
  std::string last_meaning_;
  std::string last_harmless_;
  ProxyConfig config_;  // that the agent runs with
  std::atomic<bool> differs_ = false;
};

}  // namespace shunt

#endif  // SHUNT_AGENT_CONFIG_WATCH_H_
