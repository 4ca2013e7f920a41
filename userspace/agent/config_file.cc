// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/config_file.h"

#include <fstream>
#include <iostream>
#include <list>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "userspace/sources/manifests/file_reader.h"

namespace shunt {
namespace {

// kube-proxy's ConfigMap is 2 KB.
constexpr size_t kMaxConfigBytes = 1 << 20;

}  // namespace

LoadedConfig LoadConfigFiles(const std::vector<std::string>& paths) {
  std::list<std::string> texts;  // stay where they are
  std::vector<ConfigText> files;
  Problems unreadable;
  for (const std::string& path : paths) {
    absl::StatusOr<std::string> text = ReadManifestFile(path, kMaxConfigBytes);
    if (text.ok()) {
      texts.push_back(*std::move(text));
      files.push_back({.file = path, .text = texts.back()});
    } else {
      unreadable.push_back({.origin = path, .message = std::string(text.status().message())});
    }
  }
  LoadedConfig loaded = LoadProxyConfig(files);
  loaded.errors.insert(loaded.errors.begin(), unreadable.begin(), unreadable.end());
  return loaded;
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

int CheckConfigFiles(const std::vector<std::string>& paths) {
  LoadedConfig loaded = LoadConfigFiles(paths);
  CompleteConfig(loaded);
  for (const std::string& line : WarningsOf(loaded.warnings, loaded.config, {})) {
    std::cerr << "warning: " << line << '\n';
  }
  for (const Problem& error : loaded.errors) std::cerr << "error: " << error.ToString() << '\n';
  if (!loaded.errors.empty()) return 1;
  std::cout << loaded.config.ToYaml();
  return 0;
}

int WriteConfigFile(const std::string& path, const ProxyConfig& config) {
  std::ofstream file(path);
  file << config.ToYaml();
  file.close();
  if (file.good()) return 0;
  std::cerr << "shuntd: --write-config-to: cannot write " << path << '\n';
  return 1;
}

}  // namespace shunt
