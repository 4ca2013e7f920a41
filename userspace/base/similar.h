// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_SIMILAR_H_
#define SHUNT_BASE_SIMILAR_H_

#include <string_view>

#include "absl/types/span.h"

namespace shunt {

// Which of `words` somebody probably meant who wrote `word`: the same in other
// cases, or with a letter or two wrong. "" for none.
std::string_view MostSimilar(std::string_view word, absl::Span<const std::string_view> words);

}  // namespace shunt

#endif  // SHUNT_BASE_SIMILAR_H_
