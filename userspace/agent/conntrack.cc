// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/conntrack.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "absl/strings/str_cat.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

constexpr char kSysctls[] = "/proc/sys/net/netfilter/";
constexpr char kHashSize[] = "/sys/module/nf_conntrack/parameters/hashsize";
// More entries than that were never wanted, however many CPUs.
constexpr int64_t kMaxEntries = 1 << 20;

// 0: as the kernel has it.
int64_t MaxEntries(const ProxyConfig& config, int cpus) {
  const int64_t per_core = config.Integer("conntrack.maxPerCore");
  if (per_core <= 0) return 0;
  const int64_t scaled = per_core * cpus;
  return scaled > kMaxEntries ? kMaxEntries : std::max(scaled, config.Integer("conntrack.min"));
}

std::optional<int64_t> ReadNumber(const std::string& path) {
  std::ifstream file(path);
  int64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

void ApplySetting(const std::string& path, const KernelSetting& setting) {
  const std::optional<int64_t> found = ReadNumber(path);
  if (found == setting.value || (setting.only_raise && found > setting.value)) return;
  std::ofstream file(path);
  file << setting.value << std::flush;
  if (file.good()) {
    LogInfo("set", {{"path", path}, {"value", setting.value}});
  } else {
    LogWarning("cannot set", {{"path", path}, {"value", setting.value}});
  }
}

}  // namespace

std::vector<KernelSetting> ConntrackSettings(const ProxyConfig& config, int cpus) {
  std::vector<KernelSetting> settings;
  const auto set = [&settings](const char* name, int64_t value) {
    settings.push_back({.path = absl::StrCat(kSysctls, name), .value = value});
  };
  if (const int64_t entries = MaxEntries(config, cpus); entries > 0) {
    set("nf_conntrack_max", entries);
    // A bucket for four entries, as the kernel has it.
    settings.push_back({.path = kHashSize, .value = entries / 4, .only_raise = true});
  }
  for (const auto& [field, name] :
       {std::pair("tcpEstablishedTimeout", "nf_conntrack_tcp_timeout_established"),
        std::pair("tcpCloseWaitTimeout", "nf_conntrack_tcp_timeout_close_wait"),
        std::pair("udpTimeout", "nf_conntrack_udp_timeout"),
        std::pair("udpStreamTimeout", "nf_conntrack_udp_timeout_stream")}) {
    const absl::Duration timeout = config.Duration(absl::StrCat("conntrack.", field));
    if (timeout > absl::ZeroDuration()) set(name, absl::ToInt64Seconds(timeout));
  }
  if (config.Bool("conntrack.tcpBeLiberal")) set("nf_conntrack_tcp_be_liberal", 1);
  return settings;
}

void ApplySettings(const std::string& root, const std::vector<KernelSetting>& settings) {
  if (!std::filesystem::exists(root + kSysctls + "nf_conntrack_max")) return;
  for (const KernelSetting& setting : settings) ApplySetting(root + setting.path, setting);
}

}  // namespace shunt
