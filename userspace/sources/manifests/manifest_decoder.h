// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_MANIFEST_DECODER_H_
#define SHUNT_SOURCES_MANIFESTS_MANIFEST_DECODER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/model/cluster.h"

namespace shunt {

// An object as a file defines it.
struct ManifestObject {
  ObjectKey key;
  int line = 0;
  // Null: it is there and cannot be used, so its last good state stays.
  std::shared_ptr<const Object> object;
};

// What a file says.
struct ManifestContent {
  // False: the text cannot be read as a whole. Then there are no objects, and
  // the only problem says why.
  bool readable = true;
  std::vector<ManifestObject> objects;  // each key once, in the file's order
  Problems problems;
};

// Reads the text of a file: YAML or JSON, any number of documents, objects by
// themselves or in lists. `file` names it in problems. Pure.
ManifestContent DecodeManifest(const std::string& file, std::string_view text);

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_MANIFEST_DECODER_H_
