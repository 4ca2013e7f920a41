// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/yaml_reader.h"

#include <algorithm>
#include <new>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

class ScopedEvent {
 public:
  ScopedEvent() = default;
  ~ScopedEvent() { yaml_event_delete(&event_); }
  ScopedEvent(const ScopedEvent&) = delete;
  ScopedEvent& operator=(const ScopedEvent&) = delete;

  yaml_event_t* get() { return &event_; }
  const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_{};
};

}  // namespace

YamlReader::YamlReader(std::string_view text)
    : text_(text), builder_(std::make_unique<YamlBuilder>()) {
  if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
  yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
}

YamlReader::~YamlReader() { yaml_parser_delete(&parser_); }

absl::StatusOr<YamlReader::Step> YamlReader::Next() {
  while (true) {
    ScopedEvent event;
    if (yaml_parser_parse(&parser_, event.get()) == 0) return ParserError();
    line_ = static_cast<int>((*event).start_mark.line) + 1;
    if ((*event).type == YAML_STREAM_END_EVENT) return Step::kEnd;
    if ((*event).type == YAML_DOCUMENT_END_EVENT) return Step::kDocument;
    if ((*event).type == YAML_DOCUMENT_START_EVENT) builder_ = std::make_unique<YamlBuilder>();
    SHUNT_RETURN_IF_ERROR(builder_->Add(*event));
    if (builder_->completed_item() != nullptr) return Step::kItem;
  }
}

absl::Status YamlReader::ParserError() {
  if (parser_.error == YAML_MEMORY_ERROR) return absl::ResourceExhaustedError("out of memory");
  if (parser_.error == YAML_READER_ERROR) {  // has no mark: it is ahead of what was scanned
    const std::string_view before = text_.substr(0, parser_.problem_offset);
    line_ = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    return absl::InvalidArgumentError(absl::StrCat("not a text: ", parser_.problem));
  }
  line_ = static_cast<int>(parser_.problem_mark.line) + 1;
  return absl::InvalidArgumentError(
      absl::StrCat("not YAML: ", parser_.context == nullptr ? "" : parser_.context,
                   parser_.context == nullptr ? "" : ", ", parser_.problem));
}

}  // namespace shunt
