// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_BENCHMARK_H_
#define SHUNT_TESTS_BENCH_BENCHMARK_H_

#include <time.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "tests/bench/report.h"

namespace shunt::bench {

struct BenchOptions {
  bool quick = false;
  std::string json;  // file that a line is added to; "" for none
};

// main() of a benchmark: reads the command line, runs `body` in an environment
// of its own (tests/support/environment.h) and before others on the machine,
// prints the report. Returns the exit code: figures that miss their goal are no failure, figures
// that could not be taken are.
int RunBenchmark(int argc, char** argv, const std::string& name,
                 absl::FunctionRef<absl::Status(const BenchOptions&, Report&)> body);

// One line on stderr about what goes on: in place on a terminal, else only
// where the text before the numbers is new.
void ShowProgress(const std::string& what, int done, int of);

// The calling thread runs on the last CPU only. Client and server share it, so
// that a rate is one over the CPU time of a whole transaction.
absl::Status PinToLastCpu();

double ClockNs(clockid_t clock);
inline double NowNs() { return ClockNs(CLOCK_MONOTONIC); }
inline double CpuNs() { return ClockNs(CLOCK_THREAD_CPUTIME_ID); }

// Two ways to do one thing. Each function takes one window and returns its figure.
struct Comparison {
  std::string name;
  std::function<double()> base, candidate;
};

// What the windows of one comparison gave, in pairs: the base's is the mean of
// one window before the candidate's and one after, so that drift cancels.
struct Pairs {
  std::vector<double> base, candidate;

  Estimate Ratio() const;       // candidate / base
  Estimate Difference() const;  // candidate - base
};

// Takes all comparisons in turns, `rounds` times.
std::vector<Pairs> Interleave(const std::string& what, const std::vector<Comparison>& comparisons,
                              int rounds);

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_BENCHMARK_H_
