// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_MANIFESTS_DECODING_H_
#define SHUNT_TESTS_UNIT_MANIFESTS_DECODING_H_

#include <string>
#include <variant>
#include <vector>

#include "userspace/sources/manifests/manifest_decoder.h"

namespace shunt {

// Problems as the operator reads them.
inline std::vector<std::string> Messages(const Problems& problems) {
  std::vector<std::string> messages;
  for (const Problem& problem : problems) messages.push_back(problem.ToString());
  return messages;
}

// A file of one object, decoded.
template <typename T>
struct Decoded {
  T object;
  bool usable = false;  // else `object` means nothing
  std::vector<std::string> problems;
};

template <typename T>
Decoded<T> DecodeOne(const std::string& text) {
  const ManifestContent content = DecodeManifest("web.yaml", text);
  Decoded<T> decoded{.problems = Messages(content.problems)};
  if (content.objects.size() == 1 && content.objects[0].object != nullptr) {
    decoded.object = std::get<T>(*content.objects[0].object);
    decoded.usable = true;
  }
  return decoded;
}

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_MANIFESTS_DECODING_H_
