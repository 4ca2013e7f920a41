// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

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

void Describe(CLI::App& app, Options& options, std::string& log_format) {
  app.add_option("--manifests", options.manifests,
                 "Directory of Service, EndpointSlice and Node manifests to follow")
      ->type_name("DIR");
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
  app.add_option("--v,-v", options.verbosity, "Verbosity of the log: 2 for changes, 4 for objects")
      ->type_name("N")
      ->check(CLI::Range(0, 10))
      ->capture_default_str();
  app.add_option("--logging-format", log_format, "text or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

int ExitCode(const CLI::App& app, const CLI::ParseError& error) {
  return app.exit(error, std::cout, std::cerr) == 0 ? 0 : kUsage;
}

int RefuseUsage(const std::string& reason) {
  std::cerr << "shuntd: " << reason << "\nRun with --help for more information.\n";
  return kUsage;
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  std::string log_format = "text";
  bool cleanup = false, init_only = false;
  CLI::App app(
      "Shunt's agent: keeps the tables of a Service load balancer in the kernel as the manifests "
      "say. Traffic is served by the kernel, also after this process has ended.",
      "shuntd");
  app.set_version_flag("--version", "shuntd " SHUNT_VERSION);
  Describe(app, options, log_format);
  auto* clean = app.add_flag("--cleanup", cleanup, "Remove every program and pin, then exit");
  app.add_flag("--init-only", init_only,
               "Prepare the host (mount the bpf file system and cgroup v2 if missing), then exit")
      ->excludes(clean);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ExitCode(app, error);
  }
  if (cleanup) options.action = Options::Action::kCleanup;
  if (init_only) options.action = Options::Action::kInitOnly;
  if (options.action == Options::Action::kServe && options.manifests.empty()) {
    return RefuseUsage("--manifests DIR is required: the directory that holds the Services");
  }
  options.node_name = NodeName(options.node_name);
  options.log_format = *ParseLogFormat(log_format);
  return options;
}

}  // namespace shunt
