// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/benchmark.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <iostream>

#include "absl/strings/str_format.h"
#include "tests/support/environment.h"
#include "tests/support/files.h"
#include "userspace/base/status.h"

namespace shunt::bench {
namespace {

constexpr int kUsage = 2;

Estimate Combine(const Pairs& pairs, const std::function<double(double, double)>& combine) {
  std::vector<double> samples;
  for (size_t i = 0; i < pairs.base.size(); ++i) {
    samples.push_back(combine(pairs.candidate[i], pairs.base[i]));
  }
  return EstimateMedian(samples);
}

int Fail(const std::string& name, const absl::Status& status) {
  absl::FPrintF(stderr, "\n%s: %s\n", name, status.message());
  return 1;
}

absl::Status RunFirst() {
  // Where sessions share the CPU as groups, nice values count within one only,
  // and the session has a nice value too; ours must not be our caller's.
  setsid();
  testing::WriteFile("/proc/self/autogroup", "-20").IgnoreError();  // not in every kernel
  if (setpriority(PRIO_PROCESS, 0, -20) != 0) return ErrnoStatus("setpriority");
  return absl::OkStatus();
}

}  // namespace

Estimate Pairs::Ratio() const { return Combine(*this, std::divides<>()); }
Estimate Pairs::Difference() const { return Combine(*this, std::minus<>()); }

int RunBenchmark(int argc, char** argv, const std::string& name,
                 absl::FunctionRef<absl::Status(const BenchOptions&, Report&)> body) {
  BenchOptions options;
  CLI::App app("Prints figures; README.md of tests/bench/ says how to read them.", name);
  app.add_flag("--quick", options.quick, "A short run: shows that it works, not figures to quote");
  app.add_option("--json", options.json, "Add a line of JSON with all figures to this file");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : kUsage;
  }
  return testing::RunInEnvironment([&] {
    if (!testing::GetEnvironment().ok()) return Fail(name, testing::GetEnvironment().status());
    if (absl::Status status = RunFirst(); !status.ok()) return Fail(name, status);
    Report report(name, options.quick);
    if (absl::Status status = body(options, report); !status.ok()) return Fail(name, status);
    report.Print(stdout);
    if (options.json.empty()) return 0;
    const absl::Status written = report.AppendJson(options.json);
    return written.ok() ? 0 : Fail(name, written);
  });
}

void ShowProgress(const std::string& what, int done, int of) {
  static std::string shown;
  if (isatty(STDERR_FILENO)) {
    absl::FPrintF(stderr, "\r\033[K%s %d/%d%s", what, done, of, done == of ? "\n" : "");
  } else if (shown != what) {
    absl::FPrintF(stderr, "%s\n", what);
  }
  shown = what;
}

absl::Status PinToLastCpu() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0) return ErrnoStatus("sched_setaffinity");
  return absl::OkStatus();
}

double ClockNs(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

std::vector<Pairs> Interleave(const std::string& what, const std::vector<Comparison>& comparisons,
                              int rounds) {
  std::vector<Pairs> pairs(comparisons.size());
  for (int round = 0; round < rounds; ++round) {
    ShowProgress(what, round, rounds);
    for (size_t i = 0; i < comparisons.size(); ++i) {
      const double before = comparisons[i].base();
      pairs[i].candidate.push_back(comparisons[i].candidate());
      pairs[i].base.push_back((before + comparisons[i].base()) / 2);
    }
  }
  ShowProgress(what, rounds, rounds);
  return pairs;
}

}  // namespace shunt::bench
