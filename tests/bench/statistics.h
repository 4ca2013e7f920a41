// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_STATISTICS_H_
#define SHUNT_TESTS_BENCH_STATISTICS_H_

#include <cstddef>
#include <vector>

namespace shunt::bench {

// The value at `share` (0 to 1) of the sorted samples. There must be one.
double Quantile(std::vector<double> samples, double share);
inline double Median(const std::vector<double>& samples) { return Quantile(samples, 0.5); }

// A quantile, and where it would lie in 95 of 100 repetitions.
struct Estimate {
  double value = 0, low = 0, high = 0;
  size_t samples = 0;
};

// The interval by bootstrap: the quantiles of samples drawn, with replacement,
// from the samples. Deterministic.
Estimate EstimateQuantile(const std::vector<double>& samples, double share);
inline Estimate EstimateMedian(const std::vector<double>& samples) {
  return EstimateQuantile(samples, 0.5);
}

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_STATISTICS_H_
