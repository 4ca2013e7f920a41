// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "userspace/agent/config_file.h"
#include "userspace/agent/proxy_flags.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

constexpr int kUsage = 2;

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "localhost";
}

// As kube-proxy does with the name of the host and with what overrides it.
std::string NodeName(const std::string& given) {
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(given.empty() ? HostName() : given));
}

// What is read as text first.
struct Texts {
  std::string log_format = "text", socket_lb = "all", packets = "off", reload = "harmless";
  std::vector<std::string> node_port_addresses;
  bool localhost_node_ports = true;
  std::vector<std::string> configs;  // files
  std::string write_config_to;       // a file
  std::string kubeconfig;
};

Datapath::SocketLb ToSocketLb(const std::string& text) {
  if (text == "host") return Datapath::SocketLb::kHost;
  return text == "off" ? Datapath::SocketLb::kOff : Datapath::SocketLb::kAll;
}

void DescribeServices(CLI::App& app, Texts& texts) {
  app.add_option(
         "--nodeport-addresses", texts.node_port_addresses,
         "Where node ports are served: ranges of addresses (10.0.0.0/8,fd00::/8), or primary "
         "for those of the Node (default: all addresses of the host)")
      ->type_name("RANGES")
      ->delimiter(',');
  app.add_option("--iptables-localhost-nodeports", texts.localhost_node_ports,
                 "Serve node ports at 127.0.0.1 and ::1, to the host's own processes")
      ->type_name("BOOL")
      ->capture_default_str();
  app.add_option("--socket-lb", texts.socket_lb,
                 "Whose connections are translated: all, host (not those of pods, for a service "
                 "mesh), or off")
      ->type_name("MODE")
      ->check(CLI::IsMember({"all", "host", "off"}))
      ->capture_default_str();
}

void DescribePackets(CLI::App& app, Options& options, Texts& texts) {
  app.add_option("--packets", texts.packets,
                 "Serve what arrives from outside too, at node ports, load-balancer and external "
                 "IPs: on, or off (leave it to kube-proxy)")
      ->type_name("MODE")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  app.add_option("--devices", options.devices,
                 "Devices whose packets are looked at (eth0,bond*; default: those with an address "
                 "that others can reach)")
      ->type_name("NAMES")
      ->delimiter(',');
}

// Read by their names, as ConfigOfFlags() does.
void DescribeServers(CLI::App& app) {
  app.add_option("--healthz-bind-address",
                 "Where load balancers ask for this node: /healthz, /livez; '' for nowhere "
                 "(default: 0.0.0.0:10256)")
      ->type_name("ADDRESS:PORT");
  app.add_option("--metrics-bind-address",
                 "Where Prometheus asks: /metrics, /readyz, /configz; '' for nowhere (default: "
                 "127.0.0.1:10249)")
      ->type_name("ADDRESS:PORT");
  app.add_flag("--bind-address-hard-fail")
      ->description("End where one of these is taken, instead of trying again");
  app.add_option("--bind-address", "Its family is that of the default addresses")
      ->type_name("ADDRESS");
  app.add_option("--proxy-mode", "iptables, ipvs or nftables: whose defaults are taken")
      ->type_name("MODE");
  for (const char* name : {"--iptables-sync-period", "--ipvs-sync-period"}) {
    app.add_option(name, "/healthz fails once a change has waited twice as long (default: 30s)")
        ->type_name("DURATION");
  }
}

void Describe(CLI::App& app, Options& options, Texts& texts) {
  app.add_option("--manifests", options.manifests,
                 "Directory of Service, EndpointSlice and Node manifests to follow")
      ->type_name("DIR");
  app.add_option("--config", texts.configs,
                 "File with a KubeProxyConfiguration, a ShuntConfiguration or both; may be "
                 "repeated. The first replaces kube-proxy's flags, but for --hostname-override and "
                 "those of the log; Shunt's own flags win over the second")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--reload", texts.reload,
                 "What is taken of a configuration that is edited while the agent runs: harmless "
                 "(verbosity, where metrics are, timeouts), or all, for which it starts anew")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"harmless", "all"}))
      ->capture_default_str();
  app.add_option("--write-config-to", texts.write_config_to,
                 "Write the configuration as it is understood into this file, then exit")
      ->type_name("FILE");
  app.add_option("--hostname-override", options.node_name,
                 "Name of this Node (default: the host's name)")
      ->type_name("NAME");
  app.add_option("--cgroup", options.cgroup,
                 "Directory of the cgroup v2 whose processes are served (default: where cgroup v2 "
                 "is mounted)")
      ->type_name("PATH");
  app.add_option("--bpffs", options.bpffs, "Directory for the pinned maps and programs")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--api-socket", options.api_socket, "UNIX socket of the gRPC API")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--reaper-socket", options.reaper_socket,
                 "UNIX socket of shunt-reaper, which ends the sockets of backends that are gone")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--v,-v", options.verbosity, "Verbosity of the log: 2 for changes, 4 for objects")
      ->type_name("N")
      ->check(CLI::Range(0, 10))
      ->capture_default_str();
  app.add_option("--logging-format", texts.log_format, "text or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

// Where the cluster is, unless manifests say what it is.
void DescribeCluster(CLI::App& app, Texts& texts, KubernetesSource::Options& kubernetes) {
  app.add_option("--kubeconfig", texts.kubeconfig,
                 "Follow the API server that this file names (default: $KUBECONFIG, and in a pod "
                 "what its ServiceAccount has)")
      ->type_name("FILE");
  app.add_option("--master", kubernetes.master,
                 "URL of the API server; goes before the one that the kubeconfig names")
      ->type_name("URL");
  app.add_option("--api-servers", kubernetes.api_servers,
                 "Addresses of API servers (HOST:PORT,...) that are asked first, the next where "
                 "one fails")
      ->type_name("LIST")
      ->delimiter(',');
  app.add_option("--api-servers-file", kubernetes.servers_file,
                 "Where the addresses of the API servers are kept for the next boot; '' for "
                 "nowhere")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--empty-list-guard", kubernetes.doubts_lists,
                 "Ask a second time where a list of the API server lacks most of what is known, "
                 "before any of it is deleted")
      ->type_name("BOOL")
      ->capture_default_str();
}

int ExitCode(const CLI::App& app, const CLI::ParseError& error) {
  return app.exit(error, std::cout, std::cerr) == 0 ? 0 : kUsage;
}

// What flags and files both say, where the file counts.
void TakeFile(const CLI::App& app, Options& options, Texts& texts) {
  const ProxyConfig& config = options.config;
  texts.node_port_addresses = config.List("nodePortAddresses");
  texts.localhost_node_ports = config.Bool("iptables.localhostNodePorts");
  texts.kubeconfig = config.Text("clientConnection.kubeconfig");
  if (!HasFlag(app, "hostname-override")) options.node_name = config.Text("hostnameOverride");
  if (!HasFlag(app, "logging-format")) texts.log_format = config.Text("logging.format");
  options.verbosity_from_file = !HasFlag(app, "v");
  if (options.verbosity_from_file) {
    options.verbosity = static_cast<int>(config.Integer("logging.verbosity"));
  }
}

// The configuration of flags or file, into `options` and `texts`. The error is
// lines for the terminal.
absl::Status TakeConfig(CLI::App& app, Options& options, Texts& texts) {
  LoadedConfig loaded = LoadConfigFiles(texts.configs);
  std::vector<std::string> replaced;
  const bool has_kube_proxy = !loaded.kube_proxy_file.empty();
  if (has_kube_proxy) {
    replaced = FlagsThatAFileReplaces(app);
  } else {
    SHUNT_RETURN_IF_ERROR(SetFromFlags(app, loaded.config));
  }
  CompleteConfig(loaded);
  if (!loaded.errors.empty()) return absl::InvalidArgumentError(ProblemLines(loaded.errors));
  SHUNT_RETURN_IF_ERROR(ExchangeShuntOptions(app, loaded.config));
  options.config = std::move(loaded.config);
  options.config_files = texts.configs;
  if (!texts.configs.empty()) {
    options.config_warnings = WarningsOf(loaded.warnings, options.config, replaced);
  }
  if (has_kube_proxy) TakeFile(app, options, texts);
  // nftables' default for node ports.
  if (options.config.Text("mode") == "nftables" && texts.node_port_addresses.empty()) {
    texts.node_port_addresses = {"primary"};
  }
  SHUNT_ASSIGN_OR_RETURN(options.healthz_address,
                         BindAddress(options.config, "healthzBindAddress"));
  SHUNT_ASSIGN_OR_RETURN(options.metrics_address,
                         BindAddress(options.config, "metricsBindAddress"));
  return absl::OkStatus();
}

// The source, as it is chosen: manifests, a kubeconfig, or what a pod has.
absl::Status TakeSource(const Texts& texts, Options& options) {
  KubernetesSource::Options& kubernetes = options.kubernetes;
  kubernetes.node_name = options.node_name;
  kubernetes.user_agent = "shuntd/" SHUNT_VERSION;
  const char* list = std::getenv("KUBECONFIG");
  if (!texts.kubeconfig.empty()) {
    kubernetes.kubeconfigs = {texts.kubeconfig};
  } else if (list != nullptr) {
    kubernetes.kubeconfigs = absl::StrSplit(list, ':', absl::SkipEmpty());
  }
  const bool follows_server =
      !kubernetes.kubeconfigs.empty() || std::getenv("KUBERNETES_SERVICE_HOST") != nullptr;
  if (!options.manifests.empty() || follows_server) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--kubeconfig FILE or --manifests DIR is required: where the Services are");
}

// The rest, once all texts are known.
absl::Status TakeTexts(const Texts& texts, Options& options) {
  absl::StatusOr<NodePortAddressRule> rule = ParseNodePortAddresses(texts.node_port_addresses);
  if (!rule.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--nodeport-addresses: ", rule.status().message()));
  }
  options.node_port_addresses = *std::move(rule);
  options.node_port_addresses.localhost = texts.localhost_node_ports;
  options.socket_lb = ToSocketLb(texts.socket_lb);
  options.packets = texts.packets == "on";
  options.reload_all = texts.reload == "all";
  options.node_name = NodeName(options.node_name);
  SHUNT_ASSIGN_OR_RETURN(options.log_format, ParseLogFormat(texts.log_format));
  if (options.action == Options::Action::kServe) return TakeSource(texts, options);
  return absl::OkStatus();
}

// Those that are not there: preflight also goes where kube-proxy never was.
std::vector<std::string> TakeOutMissing(std::vector<std::string>& files) {
  std::vector<std::string> missing, there;
  for (const std::string& file : files) {
    (access(file.c_str(), F_OK) == 0 ? there : missing).push_back(file);
  }
  files = std::move(there);
  return missing;
}

int RefuseUsage(std::string_view reason) {
  std::cerr << "shuntd: " << reason << "\nRun with --help for more information.\n";
  return kUsage;
}

// The last word first, as CLI11 takes them. "--name=" is an empty value, as in a
// pod's args; CLI11 alone would take the next word for it.
std::vector<std::string> Words(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = argc - 1; i > 0; --i) {
    std::string word = argv[i];
    if (word.starts_with("--") && word.ends_with('=')) {
      words.emplace_back();
      word.pop_back();
    }
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

absl::StatusOr<std::optional<HttpAddress>> BindAddress(const ProxyConfig& config,
                                                       std::string_view path) {
  const std::string& text = config.Text(path);
  if (text.empty()) return std::optional<HttpAddress>();
  return HttpAddress::Parse(text, 0);
}

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  options.arguments.assign(argv, argv + argc);
  Texts texts;
  bool cleanup = false, init_only = false;
  std::vector<std::string> checked_files;
  CLI::App app(
      "Shunt's agent: keeps the tables of a Service load balancer in the kernel as a "
      "cluster's API server or a directory of manifests say. Traffic is served by the kernel, also "
      "after this process has ended.",
      "shuntd");
  app.set_version_flag("--version", "shuntd " SHUNT_VERSION);
  app.footer(
      "kube-proxy's other flags are accepted. Of those of conntrack the timeouts are Shunt's own "
      "too, and all of them are set in the kernel by --init-only.");
  Describe(app, options, texts);
  DescribeCluster(app, texts, options.kubernetes);
  DescribeServices(app, texts);
  DescribePackets(app, options, texts);
  DescribeServers(app);
  DescribeProxyFlags(app);
  auto* clean = app.add_flag("--cleanup", cleanup, "Remove every program and pin, then exit");
  app.add_flag("--init-only", init_only,
               "Prepare the host (mount the bpf file system and cgroup v2 if missing, set the "
               "sysctls of conntrack), then exit")
      ->excludes(clean);
  const CLI::App* preflight =
      app.add_subcommand("preflight", "Say whether Shunt would work on this host; change nothing")
          ->fallthrough();
  const CLI::App* hold = app.add_subcommand(
      "hold", "Do nothing until SIGTERM, in a pod whose init container has done the work");
  CLI::App* check = app.add_subcommand(
      "check-config", "Print a configuration as it is understood, and what is wrong in it");
  check->add_option("FILE", checked_files, "The files")->required();
  try {
    app.parse(Words(argc, argv));
  } catch (const CLI::ParseError& error) {
    return ExitCode(app, error);
  }
  if (check->parsed()) return CheckConfigFiles(checked_files);
  if (preflight->parsed()) options.action = Options::Action::kPreflight;
  if (hold->parsed()) options.action = Options::Action::kHold;
  if (cleanup) options.action = Options::Action::kCleanup;
  if (init_only) options.action = Options::Action::kInitOnly;
  std::vector<std::string> missing;
  if (options.action == Options::Action::kPreflight) missing = TakeOutMissing(texts.configs);
  absl::Status status = TakeConfig(app, options, texts);
  if (status.ok() && !texts.write_config_to.empty()) {
    return WriteConfigFile(texts.write_config_to, options.config);
  }
  if (status.ok()) status = TakeTexts(texts, options);
  if (options.action == Options::Action::kPreflight) {
    options.config_error = std::exchange(status, absl::OkStatus());
    for (const std::string& file : missing) {
      options.config_warnings.push_back(file + " is not there: no kube-proxy's configuration");
    }
  }
  if (!status.ok()) return RefuseUsage(Std(status.message()));
  return options;
}

}  // namespace shunt
