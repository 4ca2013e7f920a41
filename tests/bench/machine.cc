// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/machine.h"

#include <bpf/libbpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace shunt::bench {
namespace {

std::string CpuModel() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string Kernel() {
  utsname name = {};
  return uname(&name) == 0 ? name.release : "unknown";
}

// Others who use the machine spoil the figures.
std::string Load() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? absl::StrCat(load) : "unknown";
}

}  // namespace

Machine GetMachine() {
  return {{"cpu", CpuModel()},
          {"cpus", absl::StrCat(sysconf(_SC_NPROCESSORS_ONLN))},
          {"kernel", Kernel()},
          {"shunt", SHUNT_VERSION},
          {"compiler", "clang " __clang_version__},
          {"build", SHUNT_BUILD_TYPE},
          {"libbpf", libbpf_version_string()},
          {"load", Load()}};
}

std::string DescribeMachine(const Machine& machine) {
  return absl::StrJoin(machine, ", ", absl::PairFormatter(" "));
}

}  // namespace shunt::bench
