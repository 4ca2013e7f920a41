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

std::string Name(const ConfigField& field) { return absl::StrCat("--", Absl(field.flag)); }

absl::Status SetField(const CLI::Option& option, const ConfigField& field, ProxyConfig& config) {
  return config.SetFromFlag(field, absl::StrJoin(option.results(), ","));
}

// As if the command line had it, with the checks that are made there.
absl::Status GiveFlag(CLI::Option& option, const ConfigField& field, const ConfigValue& value) {
  const std::vector<std::string> one = {value.text};
  for (const std::string& text : value.list.empty() ? one : value.list) option.add_result(text);
  try {
    option.run_callback();
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(value.origin, ": ", Absl(field.path), ": ", error.what()));
  }
  return absl::OkStatus();
}

bool FlagWinsOverFile(const ConfigField& field) {
  return field.path.starts_with("logging.") || field.path == "hostnameOverride";
}

}  // namespace

void DescribeProxyFlags(CLI::App& app) {
  for (const ConfigField& field : ConfigFields()) {
    const std::string name = Name(field);
    if (field.flag.empty() || app.get_option_no_throw(name) != nullptr) continue;
    CLI::Option* option =
        field.type == ConfigType::kBool ? app.add_flag(name) : app.add_option(name);
    option->group("")->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

absl::Status SetFromFlags(const CLI::App& app, ProxyConfig& config) {
  for (const ConfigField& field : ConfigFields()) {
    if (const CLI::Option* option = GivenFlag(app, field)) {
      SHUNT_RETURN_IF_ERROR(SetField(*option, field, config));
    }
  }
  return absl::OkStatus();
}

absl::Status ExchangeShuntOptions(CLI::App& app, ProxyConfig& config) {
  for (const ConfigField& field : ShuntKind().fields) {
    CLI::Option* option = app.get_option_no_throw(Name(field));
    const ConfigValue& value = config.At(field.path);
    if (const CLI::Option* given = GivenFlag(app, field)) {
      SHUNT_RETURN_IF_ERROR(SetField(*given, field, config));
    } else if (option != nullptr && value.is_set) {
      SHUNT_RETURN_IF_ERROR(GiveFlag(*option, field, value));
    }
  }
  return absl::OkStatus();
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
