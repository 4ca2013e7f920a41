// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_YAML_READER_H_
#define SHUNT_SOURCES_MANIFESTS_YAML_READER_H_

#include <yaml.h>

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "userspace/sources/manifests/yaml_builder.h"
#include "userspace/sources/manifests/yaml_node.h"

namespace shunt {

// Reads a text of YAML documents, JSON among them, object by object.
//
// libyaml, because the parser that kubectl and the API server use is a port of
// it: what they accept and refuse is what we do. It recurses nowhere.
class YamlReader {
 public:
  enum class Step {
    kItem,      // an element of "items" of the document's root
    kDocument,  // a document is complete
    kEnd,       // there are no more
  };

  // `text` outlives the reader.
  explicit YamlReader(std::string_view text);
  ~YamlReader();
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  // After an error nothing more can be read; line() says where it is.
  absl::StatusOr<Step> Next();

  // The document's root as far as it was read; null where a document is empty.
  const YamlNode* root() const { return builder_->root(); }
  // After kItem, until the next step.
  const YamlNode* item() const { return builder_->completed_item(); }
  // The item stays among the children of "items" of the root.
  void KeepItem() { builder_->KeepItem(); }

  int line() const { return line_; }

 private:
  absl::Status ParserError();

  const std::string_view text_;
  yaml_parser_t parser_;
  std::unique_ptr<YamlBuilder> builder_;  // of the current document
  int line_ = 1;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_YAML_READER_H_
