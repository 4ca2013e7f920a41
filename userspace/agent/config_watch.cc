// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/config_watch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/agent/config_file.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

constexpr std::string_view kVerbosity = "logging.verbosity";
constexpr std::string_view kHarmless[] = {kVerbosity, "metricsBindAddress", "iptables.syncPeriod",
                                          "ipvs.syncPeriod", "nftables.syncPeriod"};

const ConfigField& FieldAt(std::string_view path) {
  return *FindConfigField(KubeProxyKind(), path);
}

LoadedConfig Load(const std::vector<std::string>& paths) {
  LoadedConfig loaded = LoadConfigFiles(paths);
  CompleteConfig(loaded);
  return loaded;
}

// All but what is taken while the agent runs.
std::string MeaningOf(const LoadedConfig& loaded) {
  if (!loaded.errors.empty()) return ProblemLines(loaded.errors);
  ProxyConfig config = loaded.config;
  for (std::string_view path : kHarmless) config.Set(FieldAt(path), {.text = "0"});
  return absl::StrCat(loaded.kube_proxy_file.empty() ? "flags\n" : "", config.ToYaml());
}

std::string HarmlessOf(const ProxyConfig& config) {
  std::string texts;
  for (std::string_view path : kHarmless) absl::StrAppend(&texts, config.Text(path), "\n");
  return texts;
}

}  // namespace

ConfigWatch::ConfigWatch(const Options& options, OnHarmless on_harmless)
    : paths_(options.config_files),
      on_harmless_(std::move(on_harmless)),
      log_format_(options.log_format),
      takes_verbosity_(options.verbosity_from_file),
      config_(options.config) {
  const LoadedConfig loaded = Load(paths_);
  // Without a KubeProxyConfiguration its fields are flags.
  takes_fields_ = !loaded.kube_proxy_file.empty();
  meaning_ = last_meaning_ = MeaningOf(loaded);
  last_harmless_ = HarmlessOf(loaded.config);
}

bool ConfigWatch::Reread() {
  if (paths_.empty()) return false;
  const LoadedConfig now = Load(paths_);
  if (takes_fields_ && now.errors.empty() && !now.kube_proxy_file.empty()) Take(now.config);
  std::string meaning = MeaningOf(now);
  if (meaning == last_meaning_) return false;
  last_meaning_ = std::move(meaning);
  differs_ = last_meaning_ != meaning_;
  if (!now.errors.empty()) {
    LogWarning("the configuration has changed and makes no sense; the old one goes on to count",
               {{"first", now.errors.front().ToString()}});
  } else if (differs_) {
    LogWarning("the configuration has changed; a restart takes it", {});
  }
  return true;
}

void ConfigWatch::Take(const ProxyConfig& now) {
  std::string harmless = HarmlessOf(now);
  if (std::exchange(last_harmless_, harmless) == harmless) return;
  for (std::string_view path : kHarmless) {
    if (path != kVerbosity || takes_verbosity_) config_.Set(FieldAt(path), now.At(path));
  }
  if (takes_verbosity_) {
    ConfigureLogging(log_format_, static_cast<int>(config_.Integer(kVerbosity)));
  }
  LogInfo("took what is harmless of the configuration that has changed");
  on_harmless_(config_);
}

}  // namespace shunt
