// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/similar.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

constexpr size_t kLongestWord = 64;

// Letters to insert, delete or replace (Levenshtein).
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// In a short word two wrong letters are another word.
size_t MostMistakes(std::string_view word) { return word.size() < 5 ? 1 : 2; }

}  // namespace

std::string_view MostSimilar(std::string_view word, absl::Span<const std::string_view> words) {
  if (word.size() > kLongestWord) return "";
  const std::string lower = absl::AsciiStrToLower(Absl(word));
  std::string_view best;
  size_t least = MostMistakes(word) + 1;
  for (const std::string_view candidate : words) {
    const size_t distance = Distance(lower, absl::AsciiStrToLower(Absl(candidate)));
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

}  // namespace shunt
