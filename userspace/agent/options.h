// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_OPTIONS_H_
#define SHUNT_AGENT_OPTIONS_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "userspace/agent/node_port_addresses.h"
#include "userspace/config/proxy_config.h"
#include "userspace/datapath/datapath.h"
#include "userspace/http/http_address.h"
#include "userspace/sources/kubernetes/kubernetes_source.h"
#include "userspace/telemetry/logging.h"

namespace shunt {

// What shuntd was told on its command line and in the file that --config names,
// with the defaults filled in. Names are kube-proxy's where it has such an option.
struct Options {
  enum class Action { kServe, kCleanup, kInitOnly, kPreflight, kHold };

  Action action = Action::kServe;
  std::string manifests;  // directory; "" for an API server
  KubernetesSource::Options kubernetes;
  std::string node_name;  // lower case, as kube-proxy makes it
  std::string cgroup;     // of the processes that are served
  std::string bpffs = "/sys/fs/bpf/shunt";
  NodePortAddressRule node_port_addresses;
  Datapath::SocketLb socket_lb = Datapath::SocketLb::kAll;
  bool packets = false;              // what arrives from outside is served too
  std::vector<std::string> devices;  // patterns; none: see PacketDevices()
  std::string api_socket = "/run/shunt/shunt.sock";
  std::string reaper_socket = "/run/shunt/reaper.sock";
  std::optional<HttpAddress> healthz_address, metrics_address;  // none: nobody listens
  // All that kube-proxy would be configured with, of which some is above too.
  ProxyConfig config;
  std::vector<std::string> config_files;
  std::vector<std::string> config_warnings;  // one line each
  absl::Status config_error;                 // only kPreflight goes on with one
  LogFormat log_format = LogFormat::kText;
  int verbosity = 0;
  bool verbosity_from_file = false;
  bool reload_all = false;             // an edited configuration is taken by starting anew
  std::vector<std::string> arguments;  // with which the process was started
};

// Where to listen; none for "". Of a configuration that was validated.
absl::StatusOr<std::optional<HttpAddress>> BindAddress(const ProxyConfig& config,
                                                       std::string_view path);

// The options, or the exit code where the command line asked for no more than a
// text (--help, --version, check-config: 1 where there are errors in the file) or
// made no sense (2; the reason went to stderr).
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace shunt

#endif  // SHUNT_AGENT_OPTIONS_H_
