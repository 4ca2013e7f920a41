// SPDX-License-Identifier: Apache-2.0
#include <net/if.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "userspace/agent/preflight.h"
#include "userspace/base/unique_fd.h"
#include "userspace/sources/netlink/netfilter_chains.h"

namespace shunt {
namespace {

using enum Check::Outcome;

std::string KubeProxysTraces() {
  const std::vector<std::string> chains = NftChains();
  const auto has = [&chains](const std::string& beginning) {
    return std::any_of(chains.begin(), chains.end(), [&](const std::string& chain) {
      return absl::StartsWith(chain, beginning);
    });
  };
  if (has("kube-proxy ")) return "its nftables table";
  if (has("nat KUBE-SERVICES")) return "its iptables chains";
  if (LegacyNatHasChain("KUBE-SERVICES")) return "its chains (iptables legacy)";
  if (if_nametoindex("kube-ipvs0") != 0) return "its interface kube-ipvs0";
  return "";
}

Check KubeProxy() {
  const std::string traces = KubeProxysTraces();
  if (traces.empty()) return {kOk, "kube-proxy", "no trace of it"};
  return {kNote, "kube-proxy",
          absl::StrCat(traces, ": it runs or has run; Shunt answers before its rules do")};
}

Check NodeLocalDns() {
  if (if_nametoindex("nodelocaldns") == 0) return {kOk, "node-local DNS", "none"};
  return {kNote, "node-local DNS",
          "it answers at the DNS Service's ClusterIP: annotate that Service with "
          "service.shunt/exclude: \"true\""};
}

// Plug-ins that want to see the ClusterIP that a pod has dialled.
std::string MeshIn(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    for (const char* mesh : {"istio-cni", "linkerd-cni", "kuma-cni", "cilium-cni"}) {
      if (absl::StrContains(text.str(), mesh)) return mesh;
    }
  }
  return "";
}

Check Mesh() {
  const std::string mesh = MeshIn("/etc/cni/net.d");
  if (mesh.empty()) return {kOk, "mesh", "none in /etc/cni/net.d"};
  if (mesh == "cilium-cni") {
    return {kNote, "mesh", "Cilium is here: with its kubeProxyReplacement two would do one job"};
  }
  return {
      kNote, "mesh",
      absl::StrCat(mesh, ": with socketLB: host, or opt-outs, its sidecars see the ClusterIPs")};
}

Check Port(const char* name, const std::optional<HttpAddress>& address) {
  if (!address) return {kOk, name, "nobody is to listen"};
  const std::string text = address->ToString();
  if (const absl::StatusOr<UniqueFd> fd = ListenOn(*address); fd.ok()) return {kOk, name, text};
  return {kNote, name, absl::StrCat(text, " is taken: Shunt listens once it is free")};
}

Check Forwarding() {
  std::ifstream file("/proc/sys/net/ipv4/ip_forward");
  char value = '?';
  file >> value;
  if (value == '1') return {kOk, "forwarding", "net.ipv4.ip_forward is 1"};
  return {kNote, "forwarding", "net.ipv4.ip_forward is not 1: packets to pods are not forwarded"};
}

}  // namespace

Checks NeighbourChecks(const Options& options) {
  return {KubeProxy(),
          Port("health port", options.healthz_address),
          Port("metrics port", options.metrics_address),
          NodeLocalDns(),
          Mesh(),
          Forwarding()};
}

}  // namespace shunt
