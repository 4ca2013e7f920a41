// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_SIMILAR_H_
#define SHUNT_BASE_SIMILAR_H_

#include <initializer_list>
#include <string_view>

namespace shunt {

// Which of `words` somebody probably meant who wrote `word`: the same in other
// cases, or with a letter or two wrong. "" for none.
std::string_view MostSimilar(std::string_view word, std::initializer_list<std::string_view> words);

}  // namespace shunt

#endif  // SHUNT_BASE_SIMILAR_H_
