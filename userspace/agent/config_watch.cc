// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/config_watch.h"

#include "userspace/agent/config_file.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

constexpr char kVerbosity[] = "logging.verbosity";

LoadedConfig Load(const std::vector<std::string>& paths) {
  LoadedConfig loaded = LoadConfigFiles(paths);
  CompleteConfig(loaded);
  return loaded;
}

// All but what is taken while the agent runs.
std::string MeaningOf(LoadedConfig loaded) {
  if (!loaded.errors.empty()) return ProblemLines(loaded.errors);
  loaded.config.Set(*FindConfigField(KubeProxyKind(), kVerbosity), {.text = "0"});
  return loaded.config.ToYaml();
}

}  // namespace

ConfigWatch::ConfigWatch(const Options& options)
    : paths_(options.config_files),
      log_format_(options.log_format),
      takes_verbosity_(options.verbosity_from_file),
      meaning_(MeaningOf(Load(paths_))) {}

bool ConfigWatch::Reread() {
  if (paths_.empty()) return false;
  const LoadedConfig now = Load(paths_);
  if (now.errors.empty() && takes_verbosity_) {
    ConfigureLogging(log_format_, static_cast<int>(now.config.Integer(kVerbosity)));
  }
  const bool differs = MeaningOf(now) != meaning_;
  if (differs_.exchange(differs) == differs) return false;
  if (differs) LogWarning("the configuration has changed; a restart takes it", {});
  return true;
}

}  // namespace shunt
