// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/problem_reporter.h"

#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

constexpr size_t kMostOfOneObject = 10;

}  // namespace

std::string FieldPath::ToString() const {
  if (parent_ == nullptr) return "";
  const std::string parent = parent_->ToString();
  if (index_ >= 0) return absl::StrCat(parent, "[", index_, "]");
  // A label's key holds dots of its own.
  if (name_.find('.') != std::string_view::npos) {
    return absl::StrCat(parent, "[", Absl(name_), "]");
  }
  return absl::StrCat(parent, parent.empty() ? "" : ".", Absl(name_));
}

ProblemReporter::~ProblemReporter() {
  if (count_ <= kMostOfOneObject) return;
  problems_.push_back(
      {.object = object_,
       .origin = file_,
       .field = "",
       .message = absl::StrCat("and ", count_ - kMostOfOneObject, " more problems")});
}

void ProblemReporter::Add(const FieldPath& field, std::string message) {
  if (++count_ > kMostOfOneObject) return;
  problems_.push_back({.object = object_,
                       .origin = OriginOf(field.line()),
                       .field = field.ToString(),
                       .message = std::move(message)});
}

void ProblemReporter::Reject(const FieldPath& field, std::string message) {
  rejected_ = true;
  Add(field, std::move(message));
}

std::string ProblemReporter::OriginOf(int line) const {
  return line == 0 ? file_ : absl::StrCat(file_, ":", line);
}

}  // namespace shunt
