// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace shunt::bench {
namespace {

constexpr int kResamples = 2000;

}  // namespace

double Quantile(std::vector<double> samples, double share) {
  const auto nth = samples.begin() + std::lround(share * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), nth, samples.end());
  return *nth;
}

Estimate EstimateQuantile(const std::vector<double>& samples, double share) {
  std::mt19937 random(1);
  std::uniform_int_distribution<size_t> any(0, samples.size() - 1);
  std::vector<double> results, drawn(samples.size());
  for (int i = 0; i < kResamples; ++i) {
    std::generate(drawn.begin(), drawn.end(), [&] { return samples[any(random)]; });
    results.push_back(Quantile(drawn, share));
  }
  return {.value = Quantile(samples, share),
          .low = Quantile(results, 0.025),
          .high = Quantile(results, 0.975),
          .samples = samples.size()};
}

}  // namespace shunt::bench
