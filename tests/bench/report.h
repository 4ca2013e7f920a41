// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_REPORT_H_
#define SHUNT_TESTS_BENCH_REPORT_H_

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/bench/statistics.h"

namespace shunt::bench {

// What a figure should be.
struct Goal {
  enum { kAtLeast, kAtMost } kind;
  double value;
};

// One figure. A comparison says what it would be if there was no difference (1
// for a ratio, 0 for a difference), and how far from that the same comparison
// of a thing with itself came: the noise floor. Nothing below it is a finding.
struct Row {
  std::string metric;
  Estimate estimate;
  std::string unit;  // "ns", "ms", "MiB"; "" for a ratio
  std::optional<double> no_difference;
  std::optional<double> noise;
  std::optional<Goal> goal;
};

// The noise floor that the comparison of a thing with itself shows: the end of
// its interval that is farther from no difference.
double NoiseFloor(const Estimate& same, double no_difference);

// The figures of one run of one program.
class Report {
 public:
  explicit Report(std::string benchmark, bool quick)
      : benchmark_(std::move(benchmark)), quick_(quick) {}

  void Add(Row row) { rows_.push_back(std::move(row)); }

  // A table for people, under a line that says which machine it was.
  void Print(FILE* out) const;
  // Adds one line of JSON to the file: the run with its machine, versions and rows.
  absl::Status AppendJson(const std::string& path) const;

 private:
  const std::string benchmark_;
  const bool quick_;
  std::vector<Row> rows_;
};

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_REPORT_H_
