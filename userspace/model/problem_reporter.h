// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_MODEL_PROBLEM_REPORTER_H_
#define SHUNT_MODEL_PROBLEM_REPORTER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "userspace/model/object.h"

namespace shunt {

// Where in an object a value stands: a chain of names and indexes that lives on
// the stack of who decodes, and costs nothing until a message needs it. The
// parent, and the name, outlive it.
class FieldPath {
 public:
  // The object itself, which begins in `line` of its file; 0: it has none.
  explicit FieldPath(int line = 0) : line_(line) {}

  FieldPath Member(std::string_view name, int line) const { return {this, name, -1, line}; }
  FieldPath Element(size_t index, int line) const {
    return {this, {}, static_cast<int>(index), line};
  }

  int line() const { return line_; }
  std::string ToString() const;  // "spec.ports[1].port", "metadata.labels[a.b/c]"

 private:
  FieldPath(const FieldPath* parent, std::string_view name, int index, int line)
      : parent_(parent), name_(name), index_(index), line_(line) {}

  const FieldPath* parent_ = nullptr;
  std::string_view name_;
  int index_ = -1;
  int line_ = 0;
};

// Collects what is wrong with one object while it is decoded, and knows whether
// the unit that is read at the moment (the object, or with a UnitScope an
// element of it) has to be left out.
//
// Of one object it keeps the first few problems and the number of the others:
// ten thousand wrong endpoints are one mistake.
class ProblemReporter {
 public:
  // `file`: where the object is read, "" where it is no file. `problems`
  // outlives the reporter.
  ProblemReporter(std::string object, std::string file, Problems& problems)
      : object_(std::move(object)), file_(std::move(file)), problems_(problems) {}
  ~ProblemReporter();
  ProblemReporter(const ProblemReporter&) = delete;
  ProblemReporter& operator=(const ProblemReporter&) = delete;

  // Something is wrong, and the unit is fit for use without it.
  void Add(const FieldPath& field, std::string message);
  // Something is wrong, and without it there is no unit.
  void Reject(const FieldPath& field, std::string message);

  bool rejected() const { return rejected_; }
  // The object's name becomes known while it is read.
  void set_object(std::string object) { object_ = std::move(object); }

 private:
  friend class UnitScope;

  std::string OriginOf(int line) const;

  std::string object_;
  const std::string file_;
  Problems& problems_;
  size_t count_ = 0;
  bool rejected_ = false;
};

// While it lives, a Reject() means an element of the object and not the object.
class UnitScope {
 public:
  explicit UnitScope(ProblemReporter& report)
      : report_(report), outer_(std::exchange(report.rejected_, false)) {}
  ~UnitScope() { report_.rejected_ = outer_; }
  UnitScope(const UnitScope&) = delete;
  UnitScope& operator=(const UnitScope&) = delete;

  bool rejected() const { return report_.rejected_; }

 private:
  ProblemReporter& report_;
  const bool outer_;
};

}  // namespace shunt

#endif  // SHUNT_MODEL_PROBLEM_REPORTER_H_
