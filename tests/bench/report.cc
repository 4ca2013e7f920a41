// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/bench/machine.h"
#include "userspace/base/status.h"

namespace shunt::bench {
namespace {

constexpr size_t kColumns = 6;
using Line = std::array<std::string, kColumns>;

// Four digits, as many as a figure of this kind can carry.
std::string Number(double value) {
  const double size = std::fabs(value);
  const int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
  return absl::StrFormat("%.*f", decimals, value);
}

std::string WithUnit(double value, const std::string& unit) {
  return unit.empty() ? Number(value) : absl::StrCat(Number(value), " ", unit);
}

bool IsMet(const Row& row) {
  return row.goal->kind == Goal::kAtLeast ? row.estimate.value >= row.goal->value
                                          : row.estimate.value <= row.goal->value;
}

bool IsBelowNoise(const Row& row) {
  return row.no_difference && row.noise &&
         std::fabs(row.estimate.value - *row.no_difference) <= *row.noise;
}

std::string Verdict(const Row& row) {
  std::string verdict;
  if (row.goal) verdict = IsMet(row) ? "met" : "MISSED";
  if (row.goal && row.goal->value > row.estimate.low && row.goal->value < row.estimate.high) {
    verdict = "too close to tell";
  }
  if (IsBelowNoise(row))
    absl::StrAppend(&verdict, verdict.empty() ? "" : ", ", "no difference seen");
  return verdict;
}

Line LineOf(const Row& row) {
  const Estimate& e = row.estimate;
  std::string goal;
  if (row.goal) {
    goal = absl::StrCat(row.goal->kind == Goal::kAtLeast ? ">= " : "<= ",
                        WithUnit(row.goal->value, row.unit));
  }
  return {row.metric,
          WithUnit(e.value, row.unit),
          e.samples > 1 ? absl::StrCat("[", Number(e.low), ", ", Number(e.high), "]") : "",
          row.noise ? absl::StrCat("+-", Number(*row.noise)) : "",
          goal,
          Verdict(row)};
}

std::string Padded(const std::string& text, size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

nlohmann::json JsonOf(const Row& row) {
  nlohmann::json json = {{"metric", row.metric},        {"unit", row.unit},
                         {"value", row.estimate.value}, {"low", row.estimate.low},
                         {"high", row.estimate.high},   {"samples", row.estimate.samples}};
  if (row.noise) json["noise"] = *row.noise;
  if (row.no_difference) json["noDifference"] = *row.no_difference;
  if (row.goal) {
    json[row.goal->kind == Goal::kAtLeast ? "goalAtLeast" : "goalAtMost"] = row.goal->value;
    json["met"] = IsMet(row);
  }
  return json;
}

}  // namespace

double NoiseFloor(const Estimate& same, double no_difference) {
  return std::max(std::fabs(same.low - no_difference), std::fabs(same.high - no_difference));
}

void Report::Print(FILE* out) const {
  std::vector<Line> lines = {{"METRIC", "VALUE", "95 % INTERVAL", "NOISE", "GOAL", ""}};
  for (const Row& row : rows_) lines.push_back(LineOf(row));
  std::array<size_t, kColumns> widths = {};
  for (const Line& line : lines) {
    for (size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  absl::FPrintF(out, "\n%s%s: %s\n", benchmark_, quick_ ? " (quick: too short to quote)" : "",
                DescribeMachine(GetMachine()));
  for (const Line& line : lines) {
    std::string text;
    for (size_t i = 0; i < kColumns; ++i) absl::StrAppend(&text, Padded(line[i], widths[i] + 2));
    absl::FPrintF(out, "%s\n", text.substr(0, text.find_last_not_of(' ') + 1));
  }
}

absl::Status Report::AppendJson(const std::string& path) const {
  nlohmann::json machine, rows = nlohmann::json::array();
  for (const auto& [name, value] : GetMachine()) machine[name] = value;
  for (const Row& row : rows_) rows.push_back(JsonOf(row));
  const nlohmann::json run = {{"benchmark", benchmark_},
                              {"time", absl::FormatTime(absl::Now(), absl::UTCTimeZone())},
                              {"quick", quick_},
                              {"machine", machine},
                              {"rows", rows}};
  std::ofstream file(path, std::ios::app);
  file << run.dump() << '\n' << std::flush;
  return file ? absl::OkStatus() : ErrnoStatus(path);
}

}  // namespace shunt::bench
