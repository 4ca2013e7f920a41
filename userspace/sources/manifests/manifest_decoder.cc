// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/manifest_decoder.h"

#include <iterator>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/model/problem_reporter.h"
#include "userspace/sources/manifests/decoders.h"
#include "userspace/sources/manifests/yaml_reader.h"

namespace shunt {
namespace {

// Nobody reads more of them, and a hostile file must not fill the memory.
constexpr size_t kMostProblemsOfFile = 1000;

constexpr std::string_view kKnownKinds =
    "known are v1 Service, discovery.k8s.io/v1 EndpointSlice, v1 Node, and lists of them";

constexpr std::string_view kListSuffix = "List";

// What an object says that it is.
struct TypeMeta {
  std::string api_version;
  std::string kind;
};

std::optional<Kind> KindOf(const TypeMeta& type) {
  if (type.api_version == "v1" && type.kind == "Service") return Kind::kService;
  if (type.api_version == "v1" && type.kind == "Node") return Kind::kNode;
  if (type.api_version == "discovery.k8s.io/v1" && type.kind == "EndpointSlice") {
    return Kind::kEndpointSlice;
  }
  return std::nullopt;
}

// "List", "ServiceList", "EndpointSliceList".
bool IsList(const TypeMeta& type) { return type.kind.ends_with(kListSuffix); }

TypeMeta ReadType(const YamlNode& object) {
  const YamlNode* api_version = object.Find("apiVersion");
  const YamlNode* kind = object.Find("kind");
  return {.api_version = api_version == nullptr ? "" : api_version->text,
          .kind = kind == nullptr ? "" : kind->text};
}

// Elements of a ServiceList, as the API answers it, do not repeat their kind.
TypeMeta ElementType(TypeMeta list) {
  list.kind.resize(list.kind.size() - kListSuffix.size());
  return list;
}

bool IsEmpty(const YamlNode& root) {
  return root.type == YamlNode::Type::kScalar && root.is_plain && root.text.empty();
}

class ManifestDecoder {
 public:
  explicit ManifestDecoder(std::string file) : file_(std::move(file)) {}

  ManifestContent Decode(std::string_view text);

 private:
  absl::Status ReadAll(YamlReader& reader);
  void OnItem(YamlReader& reader);
  void OnDocument(const YamlNode& root);

  void DecodeObject(const YamlNode& node, const TypeMeta& type);
  void DecodeKnown(const YamlNode& node, Kind kind);
  // The document is complete: what it holds becomes a part of the file.
  void Commit();
  void AddObject(ManifestObject object);
  void ReportUnknown(const YamlNode& node, const TypeMeta& type);

  const std::string file_;
  ManifestContent content_;
  ManifestContent document_;                   // the one that is read
  absl::flat_hash_map<ObjectKey, int> lines_;  // of content_.objects
  absl::flat_hash_set<std::string> unknown_;   // kinds that were reported
};

ManifestContent ManifestDecoder::Decode(std::string_view text) {
  YamlReader reader(text);
  if (const absl::Status status = ReadAll(reader); !status.ok()) {
    content_ = {.readable = false};
    content_.problems.push_back({.origin = absl::StrCat(file_, ":", reader.line()),
                                 .message = std::string(status.message())});
  }
  if (content_.problems.size() > kMostProblemsOfFile) {
    const size_t more = content_.problems.size() - kMostProblemsOfFile;
    content_.problems.resize(kMostProblemsOfFile);
    content_.problems.push_back(
        {.origin = file_, .message = absl::StrCat("and ", more, " more problems")});
  }
  return std::move(content_);
}

absl::Status ManifestDecoder::ReadAll(YamlReader& reader) {
  while (true) {
    const absl::StatusOr<YamlReader::Step> step = reader.Next();
    if (!step.ok()) return step.status();
    switch (*step) {
      case YamlReader::Step::kItem:
        OnItem(reader);
        break;
      case YamlReader::Step::kDocument:
        OnDocument(*reader.root());
        break;
      case YamlReader::Step::kEnd:
        return absl::OkStatus();
    }
  }
}

void ManifestDecoder::OnItem(YamlReader& reader) {
  const YamlNode& item = *reader.item();
  const TypeMeta list = ReadType(*reader.root());
  TypeMeta type = ReadType(item);
  if (type.kind.empty() && list.kind.empty()) {
    reader.KeepItem();  // the list's kind, which decides, may come behind its items
    return;
  }
  if (type.kind.empty() && IsList(list)) type = ElementType(list);
  DecodeObject(item, type);
}

void ManifestDecoder::OnDocument(const YamlNode& root) {
  const TypeMeta type = ReadType(root);
  if (IsList(type)) {
    if (const YamlNode* items = root.Find("items")) {
      for (const YamlNode* item : items->children) DecodeObject(*item, ElementType(type));
    }
  } else {
    document_ = {};  // its "items" were a field like any other
    if (!IsEmpty(root)) DecodeObject(root, type);
  }
  Commit();
}

void ManifestDecoder::DecodeObject(const YamlNode& node, const TypeMeta& type) {
  if (const std::optional<Kind> kind = KindOf(type)) {
    DecodeKnown(node, *kind);
  } else {
    ReportUnknown(node, type);
  }
}

void ManifestDecoder::DecodeKnown(const YamlNode& node, Kind kind) {
  ProblemReporter report(std::string(KindName(kind)), file_, document_.problems);
  std::optional<DecodedObject> decoded = shunt::DecodeObject(node, kind, report);
  if (!decoded || decoded->fate == DecodedObject::Fate::kOfNoConcern) return;
  document_.objects.push_back(
      {.key = std::move(decoded->key), .line = node.line, .object = std::move(decoded->object)});
}

void ManifestDecoder::Commit() {
  for (ManifestObject& object : document_.objects) AddObject(std::move(object));
  std::move(document_.problems.begin(), document_.problems.end(),
            std::back_inserter(content_.problems));
  document_ = {};
}

void ManifestDecoder::AddObject(ManifestObject object) {
  const auto [first, is_new] = lines_.emplace(object.key, object.line);
  if (is_new) {
    content_.objects.push_back(std::move(object));
    return;
  }
  content_.problems.push_back(
      {.object = object.key.ToString(),
       .origin = absl::StrCat(file_, ":", object.line),
       .message = absl::StrCat("defined for a second time; line ", first->second, " counts")});
}

void ManifestDecoder::ReportUnknown(const YamlNode& node, const TypeMeta& type) {
  const std::string name = absl::StrCat(type.api_version, " ", type.kind);
  if (!unknown_.insert(name).second) return;
  std::string message;
  if (node.type != YamlNode::Type::kMap) {
    message = "not an object: a map with apiVersion, kind and metadata is expected";
  } else if (type.kind.empty()) {
    message = absl::StrCat("an object without a kind is ignored; ", Absl(kKnownKinds));
  } else {
    message = absl::StrCat("objects of kind ", Quoted(type.kind), " in apiVersion ",
                           Quoted(type.api_version), " are ignored; ", Absl(kKnownKinds));
  }
  document_.problems.push_back(
      {.origin = absl::StrCat(file_, ":", node.line), .message = std::move(message)});
}

}  // namespace

ManifestContent DecodeManifest(const std::string& file, std::string_view text) {
  return ManifestDecoder(file).Decode(text);
}

}  // namespace shunt
