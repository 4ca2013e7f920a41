// SPDX-License-Identifier: Apache-2.0
#include "userspace/config/config_field.h"

#include <algorithm>
#include <array>

namespace shunt {
namespace {

using enum ConfigType;
using enum ConfigUse;

// pkg/proxy/apis/config/v1alpha1 of Kubernetes 1.36: types.go, defaults.go; the
// flags of cmd/kube-proxy/app/options.go.
constexpr std::array kFields = {
    ConfigField{"featureGates", kGates, "", "feature-gates"},
    ConfigField{"clientConnection.kubeconfig", kText, "", "kubeconfig", kUsed},
    ConfigField{"clientConnection.acceptContentTypes", kText, "", ""},
    ConfigField{"clientConnection.contentType", kText, "application/vnd.kubernetes.protobuf",
                "kube-api-content-type", kNone, true},
    ConfigField{"clientConnection.qps", kNumber, "5", "kube-api-qps", kNone, true},
    ConfigField{"clientConnection.burst", kInteger, "10", "kube-api-burst", kNone, true},
    ConfigField{"logging.format", kText, "text", "logging-format", kUsed, true},
    ConfigField{"logging.flushFrequency", kNanoseconds, "5s", "log-flush-frequency", kNone, true},
    ConfigField{"logging.verbosity", kInteger, "0", "v", kUsed},
    ConfigField{"logging.vmodule", kVModule, "", "vmodule"},
    ConfigField{"logging.options.text.splitStream", kBool, "false", "log-text-split-stream"},
    ConfigField{"logging.options.text.infoBufferSize", kQuantity, "0", "log-text-info-buffer-size"},
    ConfigField{"logging.options.json.splitStream", kBool, "false", "log-json-split-stream"},
    ConfigField{"logging.options.json.infoBufferSize", kQuantity, "0", "log-json-info-buffer-size"},
    ConfigField{"hostnameOverride", kText, "", "hostname-override", kUsed},
    ConfigField{"bindAddress", kText, "0.0.0.0", "bind-address", kUsed, true},
    ConfigField{"healthzBindAddress", kText, "", "healthz-bind-address", kUsed},
    ConfigField{"metricsBindAddress", kText, "", "metrics-bind-address", kUsed},
    ConfigField{"bindAddressHardFail", kBool, "false", "bind-address-hard-fail", kUsed},
    ConfigField{"enableProfiling", kBool, "false", "profiling"},
    ConfigField{"showHiddenMetricsForVersion", kText, "", "show-hidden-metrics-for-version"},
    ConfigField{"mode", kText, "", "proxy-mode", kUsed},
    ConfigField{"iptables.masqueradeBit", kInteger, "14", "iptables-masquerade-bit"},
    ConfigField{"iptables.masqueradeAll", kBool, "false", "masquerade-all", kUsed},
    ConfigField{"iptables.localhostNodePorts", kBool, "true", "iptables-localhost-nodeports",
                kUsed},
    ConfigField{"iptables.syncPeriod", kDuration, "30s", "iptables-sync-period", kUsed, true},
    ConfigField{"iptables.minSyncPeriod", kDuration, "1s", "iptables-min-sync-period", kNone, true},
    ConfigField{"ipvs.syncPeriod", kDuration, "30s", "ipvs-sync-period", kUsed, true},
    ConfigField{"ipvs.minSyncPeriod", kDuration, "0s", "ipvs-min-sync-period"},
    ConfigField{"ipvs.scheduler", kText, "", "ipvs-scheduler"},
    ConfigField{"ipvs.excludeCIDRs", kList, "", "ipvs-exclude-cidrs"},
    ConfigField{"ipvs.strictARP", kBool, "false", "ipvs-strict-arp"},
    ConfigField{"ipvs.tcpTimeout", kDuration, "0s", "ipvs-tcp-timeout"},
    ConfigField{"ipvs.tcpFinTimeout", kDuration, "0s", "ipvs-tcpfin-timeout"},
    ConfigField{"ipvs.udpTimeout", kDuration, "0s", "ipvs-udp-timeout"},
    ConfigField{"nftables.masqueradeBit", kInteger, "14", ""},
    ConfigField{"nftables.masqueradeAll", kBool, "false", "", kUsed},
    ConfigField{"nftables.syncPeriod", kDuration, "30s", "", kUsed, true},
    ConfigField{"nftables.minSyncPeriod", kDuration, "1s", "", kNone, true},
    ConfigField{"winkernel.networkName", kText, "", "", kWindows},
    ConfigField{"winkernel.sourceVip", kText, "", "", kWindows},
    ConfigField{"winkernel.enableDSR", kBool, "false", "", kWindows},
    ConfigField{"winkernel.rootHnsEndpointName", kText, "", "", kWindows},
    ConfigField{"winkernel.forwardHealthCheckVip", kBool, "false", "", kWindows},
    ConfigField{"detectLocalMode", kText, "ClusterCIDR", "detect-local-mode", kUsed, true},
    ConfigField{"detectLocal.bridgeInterface", kText, "", "pod-bridge-interface", kUsed},
    ConfigField{"detectLocal.interfaceNamePrefix", kText, "", "pod-interface-name-prefix", kUsed},
    ConfigField{"clusterCIDR", kText, "", "cluster-cidr", kUsed},
    ConfigField{"nodePortAddresses", kList, "", "nodeport-addresses", kUsed},
    ConfigField{"oomScoreAdj", kInteger, "-999", "oom-score-adj", kUsed},
    ConfigField{"conntrack.maxPerCore", kInteger, "32768", "conntrack-max-per-core", kUsed},
    ConfigField{"conntrack.min", kInteger, "131072", "conntrack-min", kUsed},
    ConfigField{"conntrack.tcpEstablishedTimeout", kDuration, "24h",
                "conntrack-tcp-timeout-established", kUsed},
    ConfigField{"conntrack.tcpCloseWaitTimeout", kDuration, "1h",
                "conntrack-tcp-timeout-close-wait", kUsed},
    ConfigField{"conntrack.tcpBeLiberal", kBool, "false", "conntrack-tcp-be-liberal", kUsed},
    ConfigField{"conntrack.udpTimeout", kDuration, "0s", "conntrack-udp-timeout", kUsed},
    ConfigField{"conntrack.udpStreamTimeout", kDuration, "0s", "conntrack-udp-timeout-stream",
                kUsed},
    ConfigField{"configSyncPeriod", kDuration, "15m", "config-sync-period", kNone, true},
    ConfigField{"portRange", kText, "", ""},
    ConfigField{"windowsRunAsService", kBool, "false", "", kWindows},
};

constexpr std::array kShuntFields = {
    ConfigField{"manifests", kText, "", "manifests", kUsed},
    ConfigField{"apiServers", kList, "", "api-servers", kUsed},
    ConfigField{"apiServersFile", kText, "/var/lib/shunt/api-servers", "api-servers-file", kUsed},
    ConfigField{"emptyListGuard", kBool, "true", "empty-list-guard", kUsed},
    ConfigField{"reload", kText, "harmless", "reload", kUsed},
    ConfigField{"socketLB", kText, "all", "socket-lb", kUsed},
    ConfigField{"cgroup", kText, "", "cgroup", kUsed},
    ConfigField{"bpffs", kText, "/sys/fs/bpf/shunt", "bpffs", kUsed},
    ConfigField{"apiSocket", kText, "/run/shunt/shunt.sock", "api-socket", kUsed},
};

}  // namespace

const ConfigKind& KubeProxyKind() {
  static constexpr ConfigKind kKind = {.api_version = "kubeproxy.config.k8s.io/v1alpha1",
                                       .kind = "KubeProxyConfiguration",
                                       .fields = kFields};
  return kKind;
}

const ConfigKind& ShuntKind() {
  static constexpr ConfigKind kKind = {
      .api_version = "shunt.config/v1alpha1", .kind = "ShuntConfiguration", .fields = kShuntFields};
  return kKind;
}

absl::Span<const ConfigField> ConfigFields() { return kFields; }

const ConfigField* FindConfigField(const ConfigKind& kind, std::string_view path) {
  const auto found = std::find_if(kind.fields.begin(), kind.fields.end(),
                                  [path](const ConfigField& f) { return f.path == path; });
  return found == kind.fields.end() ? nullptr : &*found;
}

bool IsConfigSection(const ConfigKind& kind, std::string_view path) {
  return std::any_of(kind.fields.begin(), kind.fields.end(), [path](const ConfigField& f) {
    return f.path.size() > path.size() && f.path.starts_with(path) && f.path[path.size()] == '.';
  });
}

}  // namespace shunt
