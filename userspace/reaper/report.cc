// SPDX-License-Identifier: Apache-2.0
#include "userspace/reaper/report.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

void AddText(std::string_view name, std::string text, std::string& packet) {
  if (text.empty()) return;
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.resize(std::min(text.size(), kLongestPacket / 4));
  absl::StrAppend(&packet, Absl(name), " ", text, "\n");
}

void AddNumber(std::string_view name, uint64_t number, std::string& packet) {
  if (number > 0) absl::StrAppend(&packet, Absl(name), " ", number, "\n");
}

}  // namespace

std::string ReaperReport::ToPacket() const {
  std::string packet = "shunt-reaper 1\n";
  AddText("off", off, packet);
  AddNumber("ended", ended, packet);
  AddNumber("unreachable", unreachable, packet);
  AddText("problem", problem, packet);
  return packet;
}

absl::StatusOr<ReaperReport> ReaperReport::FromPacket(std::string_view packet) {
  const std::vector<absl::string_view> lines = absl::StrSplit(Absl(packet), '\n');
  if (lines.front() != "shunt-reaper 1") {
    return absl::InvalidArgumentError("what listens there is no reaper of this version");
  }
  ReaperReport report;
  for (const absl::string_view line : lines) {
    const std::pair<std::string, std::string> field = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    const auto& [name, value] = field;
    if (name == "off") report.off = value;
    if (name == "problem") report.problem = value;
    if (name == "ended") (void)absl::SimpleAtoi(value, &report.ended);
    if (name == "unreachable") (void)absl::SimpleAtoi(value, &report.unreachable);
  }
  return report;
}

}  // namespace shunt
