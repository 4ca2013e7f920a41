// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "userspace/agent/host.h"
#include "userspace/agent/preflight.h"
#include "userspace/datapath/datapath.h"

namespace shunt {
namespace {

using enum Check::Outcome;

constexpr int kOldestMajor = 5, kOldestMinor = 15;

Check Kernel() {
  utsname name;
  int major = 0, minor = 0;
  if (uname(&name) < 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2) {
    return {kFail, "kernel", "its version cannot be read"};
  }
  const bool fits = std::pair(major, minor) >= std::pair(kOldestMajor, kOldestMinor);
  return {fits ? kOk : kFail, "kernel",
          absl::StrCat(name.release, fits ? ""
                                          : absl::StrCat("; Shunt needs ", kOldestMajor, ".",
                                                         kOldestMinor, " or newer"))};
}

uint64_t EffectiveCapabilities() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    absl::string_view value = line;
    uint64_t bits = 0;
    if (absl::ConsumePrefix(&value, "CapEff:\t") && absl::SimpleHexAtoi(value, &bits)) return bits;
  }
  return 0;
}

Check Capabilities() {
  const uint64_t have = EffectiveCapabilities();
  std::vector<std::string> missing;
  for (const auto& [bit, name] : {std::pair(CAP_BPF, "BPF"), std::pair(CAP_NET_ADMIN, "NET_ADMIN"),
                                  std::pair(CAP_PERFMON, "PERFMON")}) {
    if ((have >> bit & 1) == 0) missing.emplace_back(name);
  }
  if (missing.empty()) return {kOk, "capabilities", "BPF, NET_ADMIN, PERFMON"};
  return {kFail, "capabilities", absl::StrCat("missing: ", absl::StrJoin(missing, ", "))};
}

// Says what no look at versions would: whether a profile of seccomp lets bpf(2)
// through, the kernel has the hooks, and its verifier takes the programs.
Checks Programs() {
  const absl::StatusOr<DatapathTrial> trial = TryDatapath();
  if (!trial.ok()) return {{kFail, "programs", std::string(trial.status().message())}};
  return {{kOk, "programs", "the kernel takes all of them"},
          {trial->has_set_retval ? kOk : kNote, "refusal",
           absl::StrCat("connect() to a Service without endpoints fails with ",
                        trial->has_set_retval ? "ECONNREFUSED" : "EPERM (before kernel 5.18)")},
          {kOk, "map memory",
           absl::StrCat((trial->map_bytes + (1 << 20) - 1) >> 20,
                        " MiB of kernel memory, which count as memory of the pod")}};
}

Check Btf() {
  if (access("/sys/kernel/btf/vmlinux", R_OK) == 0) return {kOk, "BTF", "/sys/kernel/btf/vmlinux"};
  return {kNote, "BTF", "the kernel has none: CONFIG_DEBUG_INFO_BTF is off"};
}

Check Bpffs() {
  struct statfs fs;
  if (statfs("/sys/fs/bpf", &fs) == 0 && static_cast<unsigned long>(fs.f_type) == BPF_FS_MAGIC) {
    return {kOk, "bpffs", "/sys/fs/bpf"};
  }
  return {kNote, "bpffs", "none at /sys/fs/bpf; shuntd --init-only mounts it"};
}

Check Cgroup() {
  const absl::StatusOr<std::string> found = FindCgroup2();
  if (!found.ok()) return {kNote, "cgroup v2", "not mounted; shuntd --init-only mounts it"};
  // Every cgroup has that file, but the root of all.
  if (!std::filesystem::exists(*found + "/cgroup.type")) return {kOk, "cgroup v2", *found};
  return {kNote, "cgroup v2",
          absl::StrCat(*found, " is not the root of all: only processes below it are served")};
}

}  // namespace

Checks KernelChecks() {
  Checks checks = {Kernel(), Capabilities()};
  for (Check& check : Programs()) checks.push_back(std::move(check));
  for (Check& check : Checks{Btf(), Bpffs(), Cgroup()}) checks.push_back(std::move(check));
  return checks;
}

}  // namespace shunt
