// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/json_decoder.h"

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"
#include "userspace/sources/kubernetes/node_reading.h"
#include "userspace/sources/manifests/yaml_reader.h"

namespace shunt {
namespace {

// The document's root. Elements of its "items", if it has any, go to `on_item`
// one by one.
absl::StatusOr<const YamlNode*> ReadDocument(YamlReader& reader,
                                             absl::FunctionRef<void(const YamlNode&)> on_item) {
  while (true) {
    SHUNT_ASSIGN_OR_RETURN(const YamlReader::Step step, reader.Next());
    if (step == YamlReader::Step::kItem) {
      on_item(*reader.item());
    } else if (step == YamlReader::Step::kDocument && reader.root() != nullptr) {
      return reader.root();
    } else {
      return absl::DataLossError("the answer is empty, a JSON object was expected");
    }
  }
}

void IgnoreItem(const YamlNode&) {}

}  // namespace

absl::StatusOr<WatchEvent> JsonDecoder::DecodeEvent(std::string_view frame) {
  YamlReader reader(frame);
  SHUNT_ASSIGN_OR_RETURN(const YamlNode* root, ReadDocument(reader, IgnoreItem));
  return ReadEvent(*root);
}

absl::StatusOr<WatchEvent> JsonDecoder::ReadEvent(const YamlNode& root) const {
  WatchEvent event;
  SHUNT_ASSIGN_OR_RETURN(event.type, ReadEventType(TextAt(root, {"type"})));
  const YamlNode* object = root.Find("object");
  if (object == nullptr || object->type != YamlNode::Type::kMap) {
    return absl::DataLossError("an event without an object");
  }
  const std::string_view api_version = TextAt(*object, {"apiVersion"});
  const std::string_view kind = TextAt(*object, {"kind"});
  if (event.type == WatchEvent::Type::kError) {
    if (kind != "Status") {
      return absl::DataLossError(absl::StrCat("an error that is no Status but a ", Quoted(kind)));
    }
    event.status = ReadStatus(*object);
  } else if (api_version != resource_.api_version || kind != KindName(resource_.kind)) {
    event.object = OfAnotherKind(api_version, kind, resource_);
  } else if (event.type == WatchEvent::Type::kBookmark) {
    event.object.resource_version = TextAt(*object, {"metadata", "resourceVersion"});
    event.ends_initial_events = EndsInitialEvents(*object);
  } else {
    event.object = ReadObject(*object, resource_.kind);
  }
  return event;
}

absl::StatusOr<ListMeta> JsonDecoder::DecodeList(std::string_view body, OnObject on_object) {
  YamlReader reader(body);
  SHUNT_ASSIGN_OR_RETURN(const YamlNode* root, ReadDocument(reader, [&](const YamlNode& item) {
                           on_object(ReadObject(item, resource_.kind));
                         }));
  const std::string_view kind = TextAt(*root, {"kind"});
  const std::string expected = absl::StrCat(Absl(KindName(resource_.kind)), "List");
  if (kind != expected || TextAt(*root, {"apiVersion"}) != resource_.api_version) {
    return absl::DataLossError(absl::StrCat("a list of kind ", Quoted(kind), ", expected ",
                                            Absl(resource_.api_version), " ", expected));
  }
  return ListMeta{.resource_version = std::string(TextAt(*root, {"metadata", "resourceVersion"})),
                  .continue_token = std::string(TextAt(*root, {"metadata", "continue"}))};
}

absl::StatusOr<ApiStatus> JsonDecoder::DecodeStatus(std::string_view body) {
  YamlReader reader(body);
  SHUNT_ASSIGN_OR_RETURN(const YamlNode* root, ReadDocument(reader, IgnoreItem));
  return ReadStatus(*root);
}

}  // namespace shunt
