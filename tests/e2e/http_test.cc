// SPDX-License-Identifier: Apache-2.0
// What load balancers, Prometheus and kube-proxy's users ask over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/e2e/agent_test.h"
#include "tests/support/http_client.h"

namespace shunt::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint16_t kHealthz = 10256, kMetrics = 10249, kHealthCheck = 30100;

constexpr char kNode[] =
    "apiVersion: v1\nkind: Node\nmetadata: {name: node-a}\nstatus: {addresses: []}\n";

class Http : public AgentTest {
 protected:
  // It says that it serves a moment before it calls itself ready.
  void StartReadyAgent() {
    StartAgent();
    ExpectEventually("/readyz", [] { return BodyOf(Fetch(kMetrics, "/readyz")) == "ok"; });
  }

  std::string WriteConfig(const std::string& fields) const {
    const std::string path = directory() + "/proxy.yaml";
    std::ofstream(path) << "apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
                           "kind: KubeProxyConfiguration\n"
                        << fields;
    return path;
  }
};

TEST_F(Http, AnswersAtKubeProxysPorts) {
  Write("node.yaml", kNode);
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  StartReadyAgent();
  EXPECT_THAT(Fetch(kHealthz, "/livez"), HasSubstr("\"healthy\":true,\"status\":{\"IPv4\":{"));
  EXPECT_THAT(StatusLine(Fetch(kHealthz, "/livez")), HasSubstr(" 200 "));
  // Nobody serves packets from outside yet.
  EXPECT_THAT(StatusLine(Fetch(kHealthz, "/healthz")), HasSubstr(" 503 "));
  EXPECT_THAT(StatusLine(Fetch(kHealthz, "/metrics")), HasSubstr(" 404 "));
  EXPECT_EQ(BodyOf(Fetch(kMetrics, "/healthz")), "ok");
  EXPECT_EQ(BodyOf(Fetch(kMetrics, "/proxyMode")), "ebpf");
  EXPECT_THAT(BodyOf(Fetch(kMetrics, "/configz")),
              StartsWith("{\"kubeproxy.config.k8s.io\":{\"apiVersion\":"));
}

TEST_F(Http, MetricsCountWhatTheKernelHoldsAndDoes) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0], pods_[1]}});
  StartReadyAgent();
  ExpectServedBy(vip_, pods_[0]);
  Fetch(kHealthz, "/healthz");
  const std::string metrics = BodyOf(Fetch(kMetrics, "/metrics"));
  for (const char* line :
       {"\nshunt_synced 1\n", "\nshunt_backends{ip_family=\"IPv4\"} 2\n",
        "\nshunt_frontends{ip_family=\"IPv4\",type=\"cluster_ip\"} 1\n",
        "\nshunt_bpf_map_entries{map=\"shunt_services\"} 1\n",
        "\nkubeproxy_proxy_healthz_total{code=\"503\"} 1\n",
        "\nkubeproxy_sync_full_proxy_rules_duration_seconds_count{ip_family=\"IPv4\"} 1\n",
        "\nshunt_socket_verdicts_total{hook=\"connect4\",verdict=\"translated\"} "}) {
    EXPECT_THAT(metrics, HasSubstr(line));
  }
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[1]}});
  ExpectEventually("the change is counted", [] {
    return BodyOf(Fetch(kMetrics, "/metrics")).find("\nshunt_backends{ip_family=\"IPv4\"} 1\n") !=
           std::string::npos;
  });
}

// The names of metrics in a file, without what a histogram adds to them.
std::set<std::string> MetricsIn(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(std::string(SHUNT_MONITORING "/") + file).rdbuf();
  const std::string all = text.str();
  const std::regex name("(shunt|kubeproxy|process)_[a-z0-9_]+");
  std::set<std::string> names;
  for (std::sregex_iterator it(all.begin(), all.end(), name), end; it != end; ++it) {
    names.insert(std::regex_replace(it->str(), std::regex("_(bucket|count|sum)$"), ""));
  }
  return names;
}

TEST_F(Http, DashboardAndAlertsAskForMetricsThatAreThere) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  StartAgent();
  Fetch(kHealthz, "/healthz");
  const std::string metrics = BodyOf(Fetch(kMetrics, "/metrics"));
  for (const char* file : {"shunt-dashboard.json", "shunt-rules.yaml"}) {
    std::set<std::string> names = MetricsIn(file);
    // Names of maps, which are labels.
    for (const char* map : {"shunt_affinity", "shunt_flows", "shunt_fragments"}) names.erase(map);
    EXPECT_GT(names.size(), 5u);
    for (const std::string& name : names) {
      // Those need an API server: tests/cluster/test_monitoring.py.
      if (name.rfind("shunt_k8s_", 0) == 0) continue;
      EXPECT_THAT(metrics, HasSubstr("\n# TYPE " + name + " ")) << file;
    }
  }
}

TEST_F(Http, MetricsAreAsPrometheusWantsThem) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  StartAgent();
  Fetch(kHealthz, "/livez");
  const std::string file = directory() + "/metrics.txt";
  std::ofstream(file) << BodyOf(Fetch(kMetrics, "/metrics"));
  const absl::StatusOr<CommandResult> result =
      RunCommand({"sh", "-c", "promtool check metrics < " + file},
                 {.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"}});
  ASSERT_TRUE(result.ok()) << result.status();
  if (result->exit_code == 127) GTEST_SKIP() << "needs promtool";
  // A name that kube-proxy chose for a gauge, and dashboards know.
  EXPECT_EQ(result->out + result->err,
            "kubeproxy_sync_proxy_rules_no_local_endpoints_total non-counter metrics should not "
            "have \"_total\" suffix\n");
}

TEST_F(Http, AHealthCheckNodePortFollowsItsService) {
  const auto spec = [this](std::vector<HostPort> pods) {
    return ManifestSpec{.name = "web",
                        .vip = vip_,
                        .pods = std::move(pods),
                        .more =
                            "  type: LoadBalancer\n  externalTrafficPolicy: Local\n"
                            "  healthCheckNodePort: 30100\n"};
  };
  Write("web.yaml", spec({pods_[0]}));
  StartAgent();
  std::string answer = Fetch(kHealthCheck, "/");
  EXPECT_THAT(StatusLine(answer), HasSubstr(" 503 "));  // no packets from outside yet
  EXPECT_THAT(answer, HasSubstr("\"serviceProxyHealthy\": false"));
  EXPECT_THAT(answer, HasSubstr("\"name\": \"web\""));
  Write("web.yaml", ManifestSpec{.name = "web", .vip = vip_, .pods = {pods_[0]}});
  ExpectEventually("the port is closed", [] { return !ConnectTo(kHealthCheck).ok(); });
}

TEST_F(Http, ATakenPortIsWaitedForOrFatal) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  const absl::StatusOr<UniqueFd> kube_proxy =
      ListenOn({.ip = *IpAddress::Parse("0.0.0.0"), .port = kHealthz});
  ASSERT_TRUE(kube_proxy.ok()) << kube_proxy.status();
  const auto strict = Launch({"--bind-address-hard-fail"});
  EXPECT_EQ(strict->WaitForExit(absl::Seconds(30)), 1);
  EXPECT_THAT(strict->Log(), HasSubstr("cannot listen on 0.0.0.0:10256"));
  StartAgent();  // serves nevertheless
  ExpectServedBy(vip_, pods_[0]);
  EXPECT_THAT(agent().Log(), HasSubstr("trying again"));
}

TEST_F(Http, KubeProxysConfigurationIsUsedAndItsFlagsAreNot) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  const std::string config =
      WriteConfig("healthzBindAddress: 127.0.0.1:11256\nfoo: 1\nipvs: {scheduler: sh}\n");
  const auto agent = Launch({"--config", config, "--healthz-bind-address", "127.0.0.1:12256"});
  ExpectServedBy(vip_, pods_[0]);
  EXPECT_THAT(StatusLine(Fetch(11256, "/livez")), HasSubstr(" 200 "));
  EXPECT_FALSE(ConnectTo(12256).ok());
  EXPECT_THAT(agent->Log(), HasSubstr(config + ":4: foo: is unknown and ignored"));
  EXPECT_THAT(agent->Log(), HasSubstr("without meaning to Shunt: ipvs.scheduler"));
  EXPECT_THAT(agent->Log(), HasSubstr("--config is given: --healthz-bind-address"));
}

TEST_F(Http, CheckConfigSaysWhatItUnderstandsAndWhatIsWrong) {
  CommandResult good = Agent({"check-config", WriteConfig("mode: nftables\nfoo: 1\n")});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("\nmode: \"nftables\"\n"));
  EXPECT_THAT(good.out, HasSubstr("\nhealthzBindAddress: \"0.0.0.0:10256\"\n"));
  EXPECT_THAT(good.err, HasSubstr("proxy.yaml:4: foo: is unknown and ignored"));
  const CommandResult bad = Agent({"check-config", WriteConfig("mode: userspace\n")});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, HasSubstr("proxy.yaml:3: mode: \"userspace\" is none of these"));
  EXPECT_EQ(Agent({"check-config", "/no/such/file"}).exit_code, 1);
  EXPECT_EQ(Agent({"check-config"}).exit_code, 2);
}

TEST_F(Http, WhatIsWrittenIsAConfigurationThatMeansTheSame) {
  const std::string written = directory() + "/written.yaml";
  const CommandResult result =
      Agent({"--write-config-to", written, "--manifests", manifests(), "--socket-lb", "host",
             "--healthz-bind-address", "127.0.0.1:11256", "--config",
             WriteConfig("iptables: {syncPeriod: 7s}\n")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const CommandResult first = Agent({"check-config", written});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(first.err, "");
  EXPECT_THAT(first.out, HasSubstr("\n  syncPeriod: \"7s\"\n"));
  EXPECT_THAT(first.out, HasSubstr("\nhealthzBindAddress: \"0.0.0.0:10256\"\n")) << "the file wins";
  EXPECT_THAT(first.out, HasSubstr("\nsocketLB: \"host\"\n"));
  EXPECT_THAT(first.out, HasSubstr("\nmanifests: \"" + manifests() + "\"\n"));
  EXPECT_EQ(Agent({"--write-config-to", "/no/such/directory/file"}).exit_code, 1);
}

TEST_F(Http, ShuntsOwnOptionsMayStandInTheFileAndTheCommandLineWins) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  const std::string own = directory() + "/shunt.yaml";
  std::ofstream(own) << "apiVersion: shunt.config/v1alpha1\nkind: ShuntConfiguration\n"
                        "socketLB: nobody\nbpffs: /nowhere\nsocketLb: all\n";
  const std::string proxy = WriteConfig("healthzBindAddress: 127.0.0.1:11256\n");
  const CommandResult wrong =
      Agent({"--config", own, "--config", proxy, "--manifests", manifests()});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr(own + ":3: socketLB: "));
  // All of that file is on the command line, too.
  const auto agent = Launch({"--config", own, "--config", proxy, "--socket-lb", "all"});
  ExpectServedBy(vip_, pods_[0]);
  EXPECT_THAT(StatusLine(Fetch(11256, "/livez")), HasSubstr(" 200 "));
  EXPECT_THAT(BodyOf(Fetch(kMetrics, "/configz")), HasSubstr("\"socketLB\":\"all\""));
  EXPECT_THAT(agent->Log(), HasSubstr(own + ":5: socketLb: is unknown and ignored; did you mean "
                                            "socketLB?"));
}

TEST_F(Http, AnEditedConfigurationIsToldUntilARestartTakesIt) {
  const auto differs = [](const char* value) {
    return BodyOf(Fetch(kMetrics, "/metrics"))
               .find(std::string("\nshunt_config_differs ") + value + "\n") != std::string::npos;
  };
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  const std::string config = WriteConfig("");
  auto agent = Launch({"--config", config});
  ExpectEventually("nothing differs", [&] { return differs("0"); });
  WriteConfig("mode: nftables\n");
  ExpectEventually("it is counted", [&] { return differs("1"); });
  EXPECT_THAT(Ctl({"status"}).out, HasSubstr("the configuration has changed"));
  agent.reset();
  agent = Launch({"--config", config});
  ExpectEventually("nothing differs", [&] { return differs("0"); });
}

TEST_F(Http, TheLogIsAsVerboseAsTheFileSaysWhileTheAgentRuns) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  const auto agent = Launch({"--config", WriteConfig("")});
  ExpectServedBy(vip_, pods_[0]);
  WriteConfig("logging: {verbosity: 2}\n");
  int changes = 0;
  ExpectEventually("changes are logged", [&] {
    Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[++changes % 2]}});
    return agent->Log().find("\"applied\"") != std::string::npos;
  });
  EXPECT_THAT(BodyOf(Fetch(kMetrics, "/metrics")), HasSubstr("\nshunt_config_differs 0\n"));
}

TEST_F(Http, WhereMetricsAreIsTakenFromTheFileWhileTheAgentRuns) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  const auto agent = Launch({"--config", WriteConfig("")});
  ExpectEventually("metrics", [] { return BodyOf(Fetch(kMetrics, "/healthz")) == "ok"; });
  WriteConfig("metricsBindAddress: 127.0.0.1:11249\niptables: {syncPeriod: 45s}\n");
  ExpectEventually("they are elsewhere",
                   [] { return ConnectTo(11249).ok() && !ConnectTo(kMetrics).ok(); });
  EXPECT_THAT(BodyOf(Fetch(11249, "/metrics")), HasSubstr("\nshunt_config_differs 0\n"));
  EXPECT_THAT(BodyOf(Fetch(11249, "/configz")), HasSubstr("\"syncPeriod\":\"45s\""));
}

TEST_F(Http, WithReloadAllTheSameProcessStartsAnewWithWhatMakesSense) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  const auto agent = Launch({"--reload=all", "--config", WriteConfig("")});
  ExpectServedBy(vip_, pods_[0]);
  WriteConfig("mode: userspace\n");
  ExpectEventually("it is refused", [&] {
    return agent->Log().find("makes no sense; the old one goes on to count") != std::string::npos;
  });
  WriteConfig("mode: nftables\n");
  ExpectEventually("it is taken", [] {
    return BodyOf(Fetch(kMetrics, "/configz")).find("\"mode\":\"nftables\"") != std::string::npos;
  });
  ExpectServedBy(vip_, pods_[0]);
  EXPECT_FALSE(agent->WaitForExit(absl::ZeroDuration()).has_value());
  EXPECT_THAT(BodyOf(Fetch(kMetrics, "/metrics")), HasSubstr("\nshunt_config_differs 0\n"));
}

TEST_F(Http, AnEmptyAddressIsNowhereAndTakesNoOtherFlagForIt) {
  Write("web.yaml", {.name = "web", .vip = vip_, .pods = {pods_[0]}});
  const auto agent = Launch({"--healthz-bind-address=", "--metrics-bind-address="});
  ExpectServedBy(vip_, pods_[0]);
  for (const uint16_t port : {kHealthz, kMetrics}) {
    EXPECT_EQ(Dial({*IpAddress::Parse("127.0.0.1"), port}).error, ECONNREFUSED) << port;
  }
}

TEST_F(Http, MistakesInFlagsNameTheFlag) {
  for (const auto& [flag, value, message] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"--healthz-bind-address", "node:1", "healthzBindAddress: \"node:1\""},
           {"--iptables-sync-period", "1d", "--iptables-sync-period: \"1d\" is not a duration"},
           {"--proxy-mode", "userspace", "mode: \"userspace\""}}) {
    const CommandResult result = Agent({"--manifests", manifests(), flag, value});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr(message));
  }
}

}  // namespace
}  // namespace shunt::testing
