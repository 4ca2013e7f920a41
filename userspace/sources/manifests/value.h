// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_VALUE_H_
#define SHUNT_SOURCES_MANIFESTS_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "userspace/model/problem_reporter.h"
#include "userspace/sources/manifests/yaml_node.h"

namespace shunt {

// A value of an object that is decoded: what was written, where it stands, and
// whom to tell that it is of the wrong type, which leaves out the unit that is
// read at the moment. What is absent or null has no type to be wrong.
//
// A view. The value that it was taken from outlives it (they are the path of a
// message), and so do the name, the node and the reporter.
class Value {
 public:
  // The object itself.
  Value(const YamlNode& object, ProblemReporter& report)
      : Value(&object, FieldPath(object.line), report) {}

  // Of a map: a member of any type, a list, a map. Not of a temporary, which the
  // path would outlive.
  Value Get(std::string_view name) const&;
  Value List(std::string_view name) const&;
  Value Map(std::string_view name) const&;
  Value Get(std::string_view name) const&& = delete;
  Value List(std::string_view name) const&& = delete;
  Value Map(std::string_view name) const&& = delete;
  // Whether the key is there, with whatever value.
  bool Has(std::string_view name) const;

  // Reports the keys of a map that look like one of `known` misspelled.
  // Kubernetes ignores what it does not know, and then nobody learns why
  // nothing happens; but what newer versions know is no mistake.
  void ReportMisspelled(std::initializer_list<std::string_view> known) const;

  // Of a list.
  size_t size() const;
  Value At(size_t index) const&;
  Value At(size_t index) const&& = delete;

  bool absent() const { return node_ == nullptr; }
  // A map, as an element of a list has to be one; else false, and reported.
  bool ExpectMap() const;

  // "" where absent or of another type.
  std::string_view Text() const;
  std::optional<int64_t> Integer() const;
  std::optional<bool> Bool() const;

  const FieldPath& path() const { return path_; }
  ProblemReporter& report() const { return *report_; }

 private:
  Value(const YamlNode* node, FieldPath path, ProblemReporter& report);

  // The value if it is of `type`; else it is as if it were absent, and reported.
  Value Checked(YamlNode::Type type) const;
  void RejectType(std::string_view expected) const;

  const YamlNode* node_;  // null: absent or null
  FieldPath path_;
  ProblemReporter* report_;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_VALUE_H_
