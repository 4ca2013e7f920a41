// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_YAML_NODE_H_
#define SHUNT_SOURCES_MANIFESTS_YAML_NODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shunt {

// A value of a YAML (or JSON) document. Whoever parsed it owns it; an alias is
// a second pointer to one node, so the nodes of a document form no tree but
// never a cycle.
struct YamlNode {
  enum class Type : uint8_t { kScalar, kSequence, kMap };

  Type type = Type::kScalar;
  bool is_plain = false;  // a scalar without quotation marks: may be a number, a bool or null
  int line = 0;           // in the file, from 1
  std::string text;       // of a scalar
  // The elements of a sequence; the keys and values of a map, in turn.
  std::vector<const YamlNode*> children;

  // What the limits on aliases count: values with every alias written out, and
  // levels below this one.
  size_t expanded_size = 1;
  size_t height = 1;

  // The value of a map's key, or null. A key of the map goes before one that it
  // merges in ("<<"), and of two equal keys the last one counts, as in JSON.
  const YamlNode* Find(std::string_view key) const;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_YAML_NODE_H_
