// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_TABLE_H_
#define SHUNT_CLI_TABLE_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace shunt {

// Aligns columns as kubectl does: three blanks between them, none at the end of
// a line, "<none>" where a cell is empty. Cells may hold any bytes; what would
// drive a terminal or break a line is spelled out.
//
// Measure all rows, then print them. Rows that come later (a watch) widen the
// columns where they have to.
class Table {
 public:
  using Cells = std::vector<std::string>;

  void Measure(const Cells& cells);
  void Print(const Cells& cells, std::ostream& out);

 private:
  std::vector<size_t> widths_;
};

// All rows as one table below a heading: indented by two blanks.
void PrintIndented(const std::vector<Table::Cells>& rows, std::ostream& out);
// "label:    text", the text made fit for a terminal.
void PrintLine(const char* label, const std::string& text, std::ostream& out);

}  // namespace shunt

#endif  // SHUNT_CLI_TABLE_H_
