// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_OPTIONS_H_
#define SHUNT_CLI_OPTIONS_H_

#include <string>

#include "userspace/api/service_filter.h"

namespace shunt {

// The command line, parsed: what every command reads.
struct Options {
  std::string socket = "/run/shunt/shunt.sock";
  std::string bpffs = "/sys/fs/bpf/shunt";
  std::string source;  // "agent", "maps", or "" for the agent and, without one, the maps
  double timeout_seconds = 5;
  std::string name_space = "default";
  bool all_namespaces = false;
  std::string name;              // the argument NAME, "" for all
  std::string output = "table";  // or "wide", "json", "yaml"
  bool no_headers = false;
  bool watch = false;
  bool watch_events = false;
  bool client_only = false;
  std::string shell;  // of `completion`
  // Of `get flows`: "10.0.0.0/8", "UDP", "Established"; "" for all.
  std::string address, protocol, state;
  // Of `explain connect`: what is dialled, "10.96.0.10:80/TCP", and who dials. Of
  // `explain packet`, from where to where, and by which device: "" where unknown.
  std::string target;
  std::string from, device;
  std::string from_pod;  // address
  int from_netns = 0;    // process; 0: none
  bool from_host = false;
  std::string cgroup;  // of `opt-out`: directory or id

  bool machine_readable() const { return output == "json" || output == "yaml"; }
  bool wide() const { return output == "wide"; }
  // NAME may be NAMESPACE/NAME, which wins over -n and -A.
  ServiceFilter Filter() const {
    const size_t slash = name.find('/');
    if (slash != std::string::npos) return {name.substr(0, slash), name.substr(slash + 1)};
    return {all_namespaces ? "" : name_space, name};
  }
};

}  // namespace shunt

#endif  // SHUNT_CLI_OPTIONS_H_
