// SPDX-License-Identifier: Apache-2.0
#include "userspace/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shunt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kHead[] =
    "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

LoadedConfig LoadTexts(const std::vector<ConfigText>& files) {
  LoadedConfig loaded = LoadProxyConfig(files);
  CompleteConfig(loaded);
  return loaded;
}

LoadedConfig LoadText(const std::string& file, std::string_view text) {
  return LoadTexts({{.file = file, .text = text}});
}

LoadedConfig Load(const std::string& fields) { return LoadText("proxy.yaml", kHead + fields); }

std::vector<std::string> Texts(const Problems& problems) {
  std::vector<std::string> texts;
  for (const Problem& problem : problems) texts.push_back(problem.ToString());
  return texts;
}

std::vector<std::string> Errors(const std::string& fields) { return Texts(Load(fields).errors); }

TEST(LoadProxyConfig, WhatIsNotWrittenHasKubeProxysDefaults) {
  const LoadedConfig loaded = Load("");
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
  const ProxyConfig& config = loaded.config;
  EXPECT_EQ(config.Text("healthzBindAddress"), "0.0.0.0:10256");
  EXPECT_EQ(config.Text("metricsBindAddress"), "127.0.0.1:10249");
  EXPECT_EQ(config.Duration("iptables.syncPeriod"), absl::Seconds(30));
  EXPECT_EQ(config.Duration("iptables.minSyncPeriod"), absl::Seconds(1));
  EXPECT_EQ(config.Duration("conntrack.tcpEstablishedTimeout"), absl::Hours(24));
  EXPECT_EQ(config.Integer("oomScoreAdj"), -999);
  EXPECT_TRUE(config.Bool("iptables.localhostNodePorts"));
  EXPECT_EQ(config.Text("detectLocalMode"), "ClusterCIDR");
  EXPECT_THAT(config.List("nodePortAddresses"), IsEmpty());
}

// What kubeadm writes into the ConfigMap kube-proxy.
TEST(LoadProxyConfig, TheConfigurationOfKubeadmIsReadWithoutAWarning) {
  const LoadedConfig loaded = Load(R"(bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection:
  acceptContentTypes: ""
  burst: 0
  contentType: ""
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
  qps: 0
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack:
  maxPerCore: null
  min: null
  tcpBeLiberal: false
  tcpCloseWaitTimeout: null
  tcpEstablishedTimeout: null
  udpStreamTimeout: 0s
  udpTimeout: 0s
detectLocal:
  bridgeInterface: ""
  interfaceNamePrefix: ""
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables:
  localhostNodePorts: null
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: ""
  strictARP: false
  syncPeriod: 0s
  tcpFinTimeout: 0s
  tcpTimeout: 0s
  udpTimeout: 0s
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
metricsBindAddress: ""
mode: ""
nftables:
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel:
  enableDSR: false
  forwardHealthCheckVip: false
  networkName: ""
  rootHnsEndpointName: ""
  sourceVip: ""
)");
  EXPECT_THAT(Texts(loaded.errors), IsEmpty());
  EXPECT_THAT(Texts(loaded.warnings), IsEmpty());
  EXPECT_EQ(loaded.config.Text("clientConnection.kubeconfig"),
            "/var/lib/kube-proxy/kubeconfig.conf");
  EXPECT_EQ(loaded.config.Duration("iptables.minSyncPeriod"), absl::Seconds(1));
  EXPECT_EQ(loaded.config.Integer("clientConnection.burst"), 10);
  EXPECT_EQ(loaded.config.Text("clusterCIDR"), "10.244.0.0/16");
  EXPECT_EQ(FieldsWithoutMeaning(loaded.config), "");
}

TEST(LoadProxyConfig, UnknownFieldsAreWarningsWithTheirLineAndWhatWasMeant) {
  const LoadedConfig loaded = Load("iptables:\n  syncperiod: 10s\nfoo: 1\n");
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(Texts(loaded.warnings),
              ElementsAre("proxy.yaml:4: iptables.syncperiod: is unknown and ignored; did you mean "
                          "iptables.syncPeriod?",
                          "proxy.yaml:5: foo: is unknown and ignored"));
}

TEST(LoadProxyConfig, OfAFieldThatStandsThereTwiceTheLastOneCounts) {
  const LoadedConfig loaded = Load("mode: ipvs\nmode: nftables\n");
  EXPECT_EQ(loaded.config.Text("mode"), "nftables");
  EXPECT_THAT(Texts(loaded.warnings),
              ElementsAre("proxy.yaml:4: mode: stands there twice; the last one counts"));
}

// H88 of reliability.md, in this test and the ones below.
TEST(LoadProxyConfig, AnotherVersionOrKindIsRefused) {
  EXPECT_THAT(Texts(LoadText("p", "apiVersion: v1\nkind: ConfigMap\n").errors),
              ElementsAre("p:1: apiVersion: is \"v1\", expected "
                          "kubeproxy.config.k8s.io/v1alpha1",
                          "p:2: kind: is \"ConfigMap\", expected KubeProxyConfiguration"));
  EXPECT_THAT(Texts(LoadText("p", "mode: ipvs\n").errors).size(), 2u);
  EXPECT_THAT(Texts(LoadText("p", "").errors),
              ElementsAre("p:1: the file is empty, expected a KubeProxyConfiguration or "
                          "ShuntConfiguration"));
}

TEST(LoadProxyConfig, DurationsAreGos) {
  EXPECT_THAT(Errors("iptables: {syncPeriod: 1m30s, minSyncPeriod: 100ms}"), IsEmpty());
  EXPECT_THAT(Errors("iptables: {syncPeriod: 1d}"),
              ElementsAre("proxy.yaml:3: iptables.syncPeriod: \"1d\" is not a duration, such as "
                          "30s or 1h30m"));
  EXPECT_THAT(Errors("configSyncPeriod: 30").size(), 1u) << "a number has no unit";
  EXPECT_THAT(Errors("configSyncPeriod: inf").size(), 1u);
  EXPECT_THAT(Errors("iptables: {syncPeriod: -1s}"),
              testing::Contains("proxy.yaml:3: iptables.syncPeriod: -1s is less than 0"));
  EXPECT_THAT(Errors("iptables: {syncPeriod: 1s, minSyncPeriod: 2s}"),
              ElementsAre("proxy.yaml:3: iptables.minSyncPeriod: 2s is more than "
                          "iptables.syncPeriod (1s)"));
}

TEST(LoadProxyConfig, AddressesGetTheirPorts) {
  EXPECT_EQ(Load("healthzBindAddress: 192.0.2.1").config.Text("healthzBindAddress"),
            "192.0.2.1:10256");
  EXPECT_EQ(Load("metricsBindAddress: 'fd00::1'").config.Text("metricsBindAddress"),
            "[fd00::1]:10249");
  EXPECT_EQ(Load("bindAddress: '::'").config.Text("healthzBindAddress"), "[::]:10256");
  EXPECT_EQ(Load("bindAddress: '::'").config.Text("metricsBindAddress"), "[::1]:10249");
  EXPECT_THAT(Errors("healthzBindAddress: 0.0.0.0:0"),
              ElementsAre("proxy.yaml:3: healthzBindAddress: \"0\" is not a port (1 to 65535)"));
  EXPECT_THAT(Errors("metricsBindAddress: localhost:80").size(), 1u);
  EXPECT_THAT(Errors("bindAddress: node-a"),
              ElementsAre("proxy.yaml:3: bindAddress: \"node-a\" is not an IP address"));
}

TEST(LoadProxyConfig, WrongTypesSayWhatIsExpected) {
  EXPECT_THAT(
      Errors("mode: 1\nenableProfiling: maybe\noomScoreAdj: much\niptables: []\n"
             "nodePortAddresses: 10.0.0.0/8\nfeatureGates: {A: 1}\nbindAddress: {}\n"),
      ElementsAre("proxy.yaml:3: mode: \"1\" is not a text (a number needs quotation marks)",
                  "proxy.yaml:4: enableProfiling: \"maybe\" is not true or false",
                  "proxy.yaml:5: oomScoreAdj: \"much\" is not a whole number",
                  "proxy.yaml:6: iptables: expected a map of fields",
                  "proxy.yaml:7: nodePortAddresses: \"10.0.0.0/8\" is not a list",
                  "proxy.yaml:8: featureGates: \"1\" is not true or false",
                  "proxy.yaml:9: bindAddress: a map is not a text (a number needs quotation "
                  "marks)"));
}

TEST(LoadProxyConfig, ValuesThatMakeNoSenseAreAllNamed) {
  EXPECT_THAT(Errors("mode: userspace\noomScoreAdj: -1001\niptables: {masqueradeBit: 32}\n"
                     "clusterCIDR: 10.0.0.0\nnodePortAddresses: [10.0.0.0]\n"
                     "detectLocalMode: BridgeInterface\nconntrack: {min: -1}\n"),
              testing::UnorderedElementsAre(
                  "proxy.yaml:3: mode: \"userspace\" is none of these: iptables, ipvs, nftables",
                  "proxy.yaml:4: oomScoreAdj: -1001 is not from -1000 to 1000",
                  "proxy.yaml:5: iptables.masqueradeBit: 32 is not from 0 to 31",
                  "proxy.yaml:6: clusterCIDR: \"10.0.0.0\" is not a CIDR, such as 10.0.0.0/8",
                  "proxy.yaml:7: nodePortAddresses: \"10.0.0.0\" is not a CIDR, such as 10.0.0.0/8",
                  "proxy.yaml: detectLocal.bridgeInterface: is empty, and detectLocalMode is "
                  "BridgeInterface",
                  "proxy.yaml:9: conntrack.min: -1 is not from 0 to 2147483647"));
}

TEST(LoadProxyConfig, YamlThatIsNoneSaysWhere) {
  const std::vector<std::string> errors = Errors("mode: [");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors[0], testing::StartsWith("proxy.yaml:"));
  EXPECT_THAT(Errors("---\nmode: ipvs\n").size(), 1u) << "two documents";
  EXPECT_THAT(Texts(LoadText("p", "- a\n").errors), ElementsAre("p:1: expected a map of fields"));
}

TEST(LoadProxyConfig, WhatDecidesNothingHereIsOneSentence) {
  EXPECT_EQ(FieldsWithoutMeaning(
                Load("ipvs: {scheduler: sh}\nwinkernel: {enableDSR: true}\nmode: ipvs\n").config),
            "set, and without meaning to Shunt: ipvs.scheduler, winkernel.enableDSR");
  EXPECT_EQ(FieldsWithoutMeaning(Load("").config), "");
}

TEST(ProxyConfig, ModePicksWhoseSyncPeriodCounts) {
  const char* periods =
      "iptables: {syncPeriod: 10s}\nipvs: {syncPeriod: 20s}\nnftables: {syncPeriod: 40s}\n";
  EXPECT_EQ(Load(periods).config.SyncPeriod(), absl::Seconds(10));
  EXPECT_EQ(Load(std::string("mode: ipvs\n") + periods).config.SyncPeriod(), absl::Seconds(20));
  EXPECT_EQ(Load(std::string("mode: nftables\n") + periods).config.SyncPeriod(), absl::Seconds(40));
}

TEST(ProxyConfig, AZeroOfAFlagIsAZero) {
  ProxyConfig config;
  const ConfigField& field = *FindConfigField(KubeProxyKind(), "iptables.minSyncPeriod");
  ASSERT_TRUE(config.SetFromFlag(field, "0s").ok());
  EXPECT_EQ(config.Duration(field.path), absl::ZeroDuration());
  EXPECT_THAT(std::string(config.SetFromFlag(field, "soon").message()),
              HasSubstr("--iptables-min-sync-period: \"soon\" is not a duration"));
}

TEST(ProxyConfig, ItsJsonIsAConfigurationAgain) {
  const LoadedConfig loaded = Load(
      "mode: ipvs\nnodePortAddresses: [10.0.0.0/8]\nfeatureGates: {A: true, B: false}\n"
      "logging: {vmodule: [{filePattern: proxier, verbosity: 4}], flushFrequency: 1000000}\n");
  ASSERT_THAT(Texts(loaded.errors), IsEmpty());
  const std::string json = loaded.config.ToJson(KubeProxyKind(), 2);
  const LoadedConfig again = LoadText("again.json", json);
  EXPECT_THAT(Texts(again.errors), IsEmpty());
  EXPECT_THAT(Texts(again.warnings), IsEmpty());
  EXPECT_EQ(again.config.ToJson(KubeProxyKind(), 2), json);
  EXPECT_THAT(json, HasSubstr("\"filePattern\": \"proxier\""));
  EXPECT_THAT(json, HasSubstr("\"flushFrequency\": \"1ms\""));
}

constexpr char kShuntHead[] = "apiVersion: shunt.config/v1alpha1\nkind: ShuntConfiguration\n";

TEST(ShuntConfiguration, MayReplaceKubeProxysOrStandBesideIt) {
  const LoadedConfig alone = LoadText("s.yaml", std::string(kShuntHead) + "socketLB: host\n");
  EXPECT_THAT(Texts(alone.errors), IsEmpty());
  EXPECT_EQ(alone.config.Text("socketLB"), "host");
  EXPECT_EQ(alone.kube_proxy_file, "");
  EXPECT_EQ(alone.config.Text("healthzBindAddress"), "0.0.0.0:10256");
  const LoadedConfig both = LoadText("s.yaml", std::string(kHead) + "mode: nftables\n---\n" +
                                                   kShuntHead + "apiServers: ['a:1', 'b:2']\n");
  EXPECT_THAT(Texts(both.errors), IsEmpty());
  EXPECT_EQ(both.kube_proxy_file, "s.yaml");
  EXPECT_EQ(both.config.Text("mode"), "nftables");
  EXPECT_THAT(both.config.List("apiServers"), ElementsAre("a:1", "b:2"));
}

TEST(ShuntConfiguration, MayBeAFileOfItsOwn) {
  const std::string proxy = std::string(kHead) + "mode: ipvs\nclusterCIDR: x\n";
  const std::string own = std::string(kShuntHead) + "soketLB: host\n";
  const LoadedConfig loaded =
      LoadTexts({{.file = "s.yaml", .text = own}, {.file = "p.yaml", .text = proxy}});
  EXPECT_THAT(Texts(loaded.errors),
              ElementsAre(HasSubstr("p.yaml:4: clusterCIDR: \"x\" is not a CIDR")));
  EXPECT_THAT(Texts(loaded.warnings),
              ElementsAre("s.yaml:3: soketLB: is unknown and ignored; did you mean socketLB?"));
}

TEST(ShuntConfiguration, OfEachKindThereIsOne) {
  EXPECT_THAT(Texts(LoadText("s", std::string(kShuntHead) + "---\n" + kShuntHead).errors),
              ElementsAre("s:4: a second ShuntConfiguration; expected one"));
  EXPECT_THAT(Texts(LoadText("s", "apiVersion: v1\nkind: ShuntConfiguration\n").errors),
              ElementsAre("s:1: apiVersion: is \"v1\", expected shunt.config/v1alpha1"));
}

TEST(ShuntConfiguration, ItsYamlWithKubeProxysIsAConfigurationAgain) {
  const LoadedConfig loaded =
      LoadText("s", std::string(kHead) + "nodePortAddresses: [10.0.0.0/8]\n---\n" + kShuntHead +
                        "manifests: \"a: b # c\"\n");
  const std::string yaml = loaded.config.ToYaml();
  const LoadedConfig again = LoadText("again", yaml);
  EXPECT_THAT(Texts(again.errors), IsEmpty());
  EXPECT_THAT(Texts(again.warnings), IsEmpty());
  EXPECT_EQ(again.config.ToYaml(), yaml);
  EXPECT_EQ(again.config.Text("manifests"), "a: b # c");
}

}  // namespace
}  // namespace shunt
