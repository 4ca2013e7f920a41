// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/proxy_flags.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

// Null: the field has no flag, or the command line does not have it.
const CLI::Option* GivenFlag(const CLI::App& app, const ConfigField& field) {
  if (field.flag.empty()) return nullptr;
  const CLI::Option* option = app.get_option_no_throw(absl::StrCat("--", Absl(field.flag)));
  return option != nullptr && option->count() > 0 ? option : nullptr;
}

bool FlagWinsOverFile(const ConfigField& field) {
  return field.path.starts_with("logging.") || field.path == "hostnameOverride";
}

}  // namespace

void DescribeProxyFlags(CLI::App& app) {
  for (const ConfigField& field : ConfigFields()) {
    if (field.flag.empty() || field.use == ConfigUse::kUsed) continue;
    const std::string name = absl::StrCat("--", Absl(field.flag));
    CLI::Option* option =
        field.type == ConfigType::kBool ? app.add_flag(name) : app.add_option(name);
    option->group("")->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

absl::StatusOr<ProxyConfig> ConfigOfFlags(const CLI::App& app) {
  ProxyConfig config;
  for (const ConfigField& field : ConfigFields()) {
    if (const CLI::Option* option = GivenFlag(app, field)) {
      SHUNT_RETURN_IF_ERROR(config.SetFromFlag(field, absl::StrJoin(option->results(), ",")));
    }
  }
  config.CompleteDefaults();
  return config;
}

std::vector<std::string> FlagsThatAFileReplaces(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const ConfigField& field : ConfigFields()) {
    if (GivenFlag(app, field) == nullptr || FlagWinsOverFile(field)) continue;
    flags.push_back(absl::StrCat("--", Absl(field.flag)));
  }
  return flags;
}

bool HasFlag(const CLI::App& app, const std::string& flag) {
  const CLI::Option* option = app.get_option_no_throw("--" + flag);
  return option != nullptr && option->count() > 0;
}

}  // namespace shunt
