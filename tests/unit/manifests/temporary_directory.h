// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_MANIFESTS_TEMPORARY_DIRECTORY_H_
#define SHUNT_TESTS_UNIT_MANIFESTS_TEMPORARY_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace shunt {

// A directory that goes with the test, and what a user does in one.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "shunt-XXXXXX").string();
    path_ = mkdtemp(path.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path() const { return path_.string(); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  // Writes it in place.
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
  }
  // Writes it elsewhere and renames it over.
  void Replace(const std::string& name, const std::string& text) const {
    Write(".new-" + name, text);
    std::filesystem::rename(path_ / (".new-" + name), path_ / name);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_MANIFESTS_TEMPORARY_DIRECTORY_H_
