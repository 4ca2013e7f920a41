// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/suggestion.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

constexpr size_t kMostMistakes = 2;

// Levenshtein's distance, a row at a time.
size_t Mistakes(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string Nearest(std::string_view typed, const std::vector<std::string>& words) {
  std::string nearest;
  size_t least = kMostMistakes + 1;
  for (const std::string& word : words) {
    const bool begun = !typed.empty() && absl::StartsWith(word, Absl(typed));
    const size_t mistakes = begun ? 1 : Mistakes(typed, word);
    // "gt" for "ps" is no typing mistake, though only two letters differ.
    if (mistakes < least && mistakes < word.size()) {
      least = mistakes;
      nearest = word;
    }
  }
  return nearest;
}

}  // namespace shunt
