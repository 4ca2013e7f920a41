// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/node_reading.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/model/problem_reporter.h"

namespace shunt {
namespace {

const YamlNode* NodeAt(const YamlNode& node, std::initializer_list<std::string_view> path) {
  const YamlNode* at = &node;
  for (const std::string_view key : path) {
    if (at->type != YamlNode::Type::kMap) return nullptr;
    at = at->Find(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

int64_t NumberAt(const YamlNode& node, std::initializer_list<std::string_view> path) {
  int64_t number = 0;
  return absl::SimpleAtoi(Absl(TextAt(node, path)), &number) ? number : 0;
}

bool HasCause(const YamlNode& status, std::string_view reason) {
  const YamlNode* causes = NodeAt(status, {"details", "causes"});
  if (causes == nullptr || causes->type != YamlNode::Type::kSequence) return false;
  for (const YamlNode* cause : causes->children) {
    if (TextAt(*cause, {"reason"}) == reason) return true;
  }
  return false;
}

}  // namespace

std::string_view TextAt(const YamlNode& node, std::initializer_list<std::string_view> path) {
  const YamlNode* at = NodeAt(node, path);
  return at == nullptr || at->type != YamlNode::Type::kScalar ? "" : std::string_view(at->text);
}

ApiObject ReadObject(const YamlNode& node, Kind kind) {
  ApiObject object{.resource_version = std::string(TextAt(node, {"metadata", "resourceVersion"}))};
  ProblemReporter report(std::string(KindName(kind)), "", object.problems);
  object.decoded = DecodeObject(node, kind, report);
  return object;
}

ApiStatus ReadStatus(const YamlNode& node) {
  return {.code = static_cast<int>(NumberAt(node, {"code"})),
          .reason = std::string(TextAt(node, {"reason"})),
          .message = std::string(TextAt(node, {"message"})),
          .version_too_large = HasCause(node, "ResourceVersionTooLarge"),
          .retry_after_s = NumberAt(node, {"details", "retryAfterSeconds"})};
}

absl::StatusOr<WatchEvent::Type> ReadEventType(std::string_view text) {
  if (text == "ADDED") return WatchEvent::Type::kAdded;
  if (text == "MODIFIED") return WatchEvent::Type::kModified;
  if (text == "DELETED") return WatchEvent::Type::kDeleted;
  if (text == "BOOKMARK") return WatchEvent::Type::kBookmark;
  if (text == "ERROR") return WatchEvent::Type::kError;
  return absl::DataLossError(absl::StrCat(Quoted(text), " is not a type of event"));
}

bool EndsInitialEvents(const YamlNode& object) {
  return TextAt(object, {"metadata", "annotations", "k8s.io/initial-events-end"}) == "true";
}

ApiObject OfAnotherKind(std::string_view api_version, std::string_view kind,
                        const Resource& resource) {
  ApiObject object;
  object.problems.push_back(
      {.message = absl::StrCat("an object of ", Quoted(api_version), " ", Quoted(kind),
                               " is ignored; of ", Absl(resource.api_version), " ",
                               Absl(KindName(resource.kind)), " was asked")});
  return object;
}

}  // namespace shunt
