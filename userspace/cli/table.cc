// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/table.h"

#include <algorithm>

#include "userspace/base/text.h"

namespace shunt {
namespace {

constexpr size_t kGap = 3;

std::string CellText(const std::string& cell) {
  return cell.empty() ? "<none>" : ForTerminal(cell);
}

}  // namespace

void Table::Measure(const Cells& cells) {
  widths_.resize(std::max(widths_.size(), cells.size()));
  for (size_t i = 0; i < cells.size(); ++i) {
    widths_[i] = std::max(widths_[i], DisplayWidth(CellText(cells[i])));
  }
}

void Table::Print(const Cells& cells, std::ostream& out) {
  Measure(cells);
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string text = CellText(cells[i]);
    line += text;
    if (i + 1 < cells.size()) line.append(widths_[i] - DisplayWidth(text) + kGap, ' ');
  }
  out << line << '\n';
}

void PrintIndented(const std::vector<Table::Cells>& rows, std::ostream& out) {
  Table table;
  // The indent is a part of the first cell, but nothing to be spelled out.
  const auto indented = [](Table::Cells cells) {
    cells.front() = "  " + cells.front();
    return cells;
  };
  for (const Table::Cells& row : rows) table.Measure(indented(row));
  for (const Table::Cells& row : rows) table.Print(indented(row), out);
}

void PrintLine(const char* label, const std::string& text, std::ostream& out) {
  std::string padded = std::string(label) + ":";
  padded.resize(std::max<size_t>(padded.size() + 1, 12), ' ');
  out << padded << ForTerminal(text) << '\n';
}

}  // namespace shunt
