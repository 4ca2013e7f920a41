// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/process_use.h"

#include <sched.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt::bench {
namespace {

std::filesystem::directory_iterator ThreadsOf(pid_t process) {
  std::error_code error;
  return std::filesystem::directory_iterator(absl::StrCat("/proc/", process, "/task"), error);
}

// A number of a status file of /proc.
uint64_t FieldOf(const std::filesystem::path& status_file, const std::string& field) {
  std::ifstream status(status_file);
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) {
      return strtoull(line.c_str() + field.size() + 1, nullptr, 10);
    }
  }
  return 0;
}

}  // namespace

ProcessUse UseOf(pid_t process) {
  ProcessUse use;
  for (const auto& thread : ThreadsOf(process)) {
    double cpu_ns = 0;
    std::ifstream(thread.path() / "schedstat") >> cpu_ns;
    use.cpu_ns += cpu_ns;
    use.waits += FieldOf(thread.path() / "status", "voluntary_ctxt_switches");
  }
  return use;
}

double MemoryMiBOf(pid_t process, const std::string& field) {
  return static_cast<double>(FieldOf(absl::StrCat("/proc/", process, "/status"), field)) / 1024;
}

absl::Status PinProcess(pid_t process, int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  for (const auto& thread : ThreadsOf(process)) {
    const pid_t id = atoi(thread.path().filename().c_str());
    if (sched_setaffinity(id, sizeof(cpus), &cpus) != 0) return ErrnoStatus("sched_setaffinity");
  }
  return absl::OkStatus();
}

}  // namespace shunt::bench
