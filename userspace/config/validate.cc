// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/ip_address.h"
#include "userspace/base/quote.h"
#include "userspace/config/load.h"
#include "userspace/http/http_address.h"

namespace shunt {
namespace {

// What kube-proxy's ValidateKubeProxyConfiguration refuses.
class Validator {
 public:
  Validator(const std::string& file, const ProxyConfig& config) : file_(file), config_(config) {}

  Problems Run() && {
    CheckWords();
    CheckAddresses();
    CheckNumbers();
    CheckDurations();
    CheckLists();
    CheckDetectLocal();
    return std::move(problems_);
  }

 private:
  void Refuse(std::string_view path, const std::string& message) {
    const std::string& origin = config_.At(path).origin;
    problems_.push_back({.origin = origin.empty() ? file_ : origin,
                         .field = std::string(path),
                         .message = message});
  }

  template <size_t n>
  void CheckOneOf(std::string_view path, const std::array<const char*, n>& words) {
    const std::string& text = config_.Text(path);
    if (std::find(words.begin(), words.end(), text) != words.end()) return;
    Refuse(path, absl::StrCat(Quoted(text), " is none of these: ", absl::StrJoin(words, ", ")));
  }

  void CheckWords() {
    if (!config_.Text("mode").empty()) {
      CheckOneOf("mode", std::array{"iptables", "ipvs", "nftables"});
    }
    CheckOneOf("logging.format", std::array{"text", "json"});
    CheckOneOf("detectLocalMode",
               std::array{"ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"});
  }

  void CheckAddresses() {
    if (const std::string& bind = config_.Text("bindAddress"); !IpAddress::Parse(bind).ok()) {
      Refuse("bindAddress", absl::StrCat(Quoted(bind), " is not an IP address"));
    }
    CheckHostPort("healthzBindAddress", 10256);
    CheckHostPort("metricsBindAddress", 10249);
  }

  void CheckHostPort(std::string_view path, uint16_t port) {
    const std::string& text = config_.Text(path);
    if (text.empty()) return;  // a flag said so: off
    if (auto address = HttpAddress::Parse(text, port); !address.ok()) {
      Refuse(path, std::string(address.status().message()));
    }
  }

  void CheckRange(std::string_view path, int64_t low, int64_t high) {
    const int64_t value = config_.Integer(path);
    if (value < low || value > high) {
      Refuse(path, absl::StrCat(value, " is not from ", low, " to ", high));
    }
  }

  void CheckNumbers() {
    constexpr int64_t kMost = INT32_MAX;
    CheckRange("clientConnection.burst", 0, kMost);
    CheckRange("logging.verbosity", 0, kMost);
    CheckRange("iptables.masqueradeBit", 0, 31);
    CheckRange("nftables.masqueradeBit", 0, 31);
    CheckRange("oomScoreAdj", -1000, 1000);
    CheckRange("conntrack.maxPerCore", 0, kMost);
    CheckRange("conntrack.min", 0, kMost);
  }

  void CheckDurations() {
    for (const ConfigField& field : ConfigFields()) {
      if (field.type != ConfigType::kDuration) continue;
      if (config_.Duration(field.path) < absl::ZeroDuration()) {
        Refuse(field.path, absl::StrCat(config_.Text(field.path), " is less than 0"));
      }
    }
    for (const char* path :
         {"iptables.syncPeriod", "ipvs.syncPeriod", "nftables.syncPeriod", "configSyncPeriod"}) {
      if (config_.Duration(path) == absl::ZeroDuration()) Refuse(path, "must be more than 0");
    }
    for (const char* section : {"iptables", "ipvs", "nftables"}) {
      const std::string least = absl::StrCat(section, ".minSyncPeriod");
      const std::string most = absl::StrCat(section, ".syncPeriod");
      if (config_.Duration(least) > config_.Duration(most)) {
        Refuse(least, absl::StrCat(config_.Text(least), " is more than ", most, " (",
                                   config_.Text(most), ")"));
      }
    }
  }

  void CheckCidrs(std::string_view path, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      if (!Cidr::Parse(text).ok()) {
        Refuse(path, absl::StrCat(Quoted(text), " is not a CIDR, such as 10.0.0.0/8"));
      }
    }
  }

  void CheckLists() {
    CheckCidrs("ipvs.excludeCIDRs", config_.List("ipvs.excludeCIDRs"));
    std::vector<std::string> addresses = config_.List("nodePortAddresses");
    if (addresses.size() == 1 && addresses[0] == "primary") addresses.clear();
    CheckCidrs("nodePortAddresses", addresses);
    const std::vector<std::string> cidrs =
        absl::StrSplit(config_.Text("clusterCIDR"), ',', absl::SkipEmpty());
    CheckCidrs("clusterCIDR", cidrs);
  }

  void CheckDetectLocal() {
    const std::string& mode = config_.Text("detectLocalMode");
    for (const auto& [needs, path] :
         {std::pair("BridgeInterface", "detectLocal.bridgeInterface"),
          std::pair("InterfaceNamePrefix", "detectLocal.interfaceNamePrefix")}) {
      if (mode == needs && config_.Text(path).empty()) {
        Refuse(path, absl::StrCat("is empty, and detectLocalMode is ", needs));
      }
    }
  }

  const std::string& file_;
  const ProxyConfig& config_;
  Problems problems_;
};

}  // namespace

Problems ValidateProxyConfig(const std::string& file, const ProxyConfig& config) {
  return Validator(file, config).Run();
}

}  // namespace shunt
