// SPDX-License-Identifier: Apache-2.0
#include "userspace/reaper/options.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace shunt {
namespace {

constexpr int kUsage = 2;

}  // namespace

std::variant<ReaperOptions, int> ParseReaperOptions(int argc, const char* const* argv) {
  ReaperOptions options;
  std::string log_format = "text";
  CLI::App app(
      "Ends the sockets whose backend is gone, in every network namespace of this host, when "
      "shuntd asks for it. Which ones is decided in the kernel, by Shunt's maps alone.",
      "shunt-reaper");
  app.set_version_flag("--version", "shunt-reaper " SHUNT_VERSION);
  app.add_option("--bpffs", options.bpffs, "Directory of the pinned maps")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--socket", options.socket, "UNIX socket to be asked on")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--v,-v", options.verbosity, "Verbosity of the log: 2 for each look")
      ->type_name("N")
      ->check(CLI::Range(0, 10))
      ->capture_default_str();
  app.add_option("--logging-format", log_format, "text or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : kUsage;
  }
  options.log_format = ParseLogFormat(log_format).value_or(LogFormat::kText);
  return options;
}

}  // namespace shunt
