// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/config_file.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "userspace/sources/manifests/file_reader.h"

namespace shunt {
namespace {

// kube-proxy's ConfigMap is 2 KB.
constexpr size_t kMaxConfigBytes = 1 << 20;

}  // namespace

LoadedConfig LoadProxyConfigFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadManifestFile(path, kMaxConfigBytes);
  if (text.ok()) return LoadProxyConfig(path, *text);
  LoadedConfig failed;
  failed.errors.push_back({.origin = path, .message = std::string(text.status().message())});
  return failed;
}

std::string ProblemLines(const Problems& problems) {
  return absl::StrJoin(problems, "\n", [](std::string* line, const Problem& problem) {
    absl::StrAppend(line, problem.ToString());
  });
}

std::vector<std::string> WarningsOf(const Problems& warnings, const ProxyConfig& config,
                                    const std::vector<std::string>& replaced) {
  std::vector<std::string> lines;
  for (const Problem& warning : warnings) lines.push_back(warning.ToString());
  if (std::string none = FieldsWithoutMeaning(config); !none.empty()) lines.push_back(none);
  if (!replaced.empty()) {
    lines.push_back(
        absl::StrCat("ignored, because --config is given: ", absl::StrJoin(replaced, ", ")));
  }
  return lines;
}

int CheckConfigFile(const std::string& path) {
  const LoadedConfig loaded = LoadProxyConfigFile(path);
  for (const std::string& line : WarningsOf(loaded.warnings, loaded.config, {})) {
    std::cerr << "warning: " << line << '\n';
  }
  for (const Problem& error : loaded.errors) std::cerr << "error: " << error.ToString() << '\n';
  if (!loaded.errors.empty()) return 1;
  std::cout << loaded.config.ToJson(2) << '\n';
  return 0;
}

}  // namespace shunt
