// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/framer.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

constexpr size_t kLengthBytes = 4;
// What an idle stream keeps for its next frame.
constexpr size_t kKeptBytes = 64 << 10;

size_t LengthAt(std::string_view bytes) {
  size_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  return length;
}

absl::Status TooLarge(size_t bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("an event of ", bytes, " bytes; at most ", kMostFrameBytes, " are taken"));
}

}  // namespace

absl::Status LengthFramer::Feed(std::string_view piece, OnFrame on_frame) {
  while (!piece.empty()) {
    const size_t wanted =
        buffer_.size() < kLengthBytes ? kLengthBytes : kLengthBytes + LengthAt(buffer_);
    const size_t taken = std::min(piece.size(), wanted - buffer_.size());
    buffer_.append(piece.substr(0, taken));
    piece.remove_prefix(taken);
    if (buffer_.size() < kLengthBytes) break;

    const size_t length = LengthAt(buffer_);
    if (length > kMostFrameBytes) return TooLarge(length);
    if (buffer_.size() < kLengthBytes + length) continue;
    SHUNT_RETURN_IF_ERROR(on_frame(std::string_view(buffer_).substr(kLengthBytes)));
    buffer_.clear();
    if (buffer_.capacity() > kKeptBytes) buffer_.shrink_to_fit();
  }
  return absl::OkStatus();
}

absl::Status JsonFramer::Feed(std::string_view piece, OnFrame on_frame) {
  for (const char c : piece) {
    if (depth_ == 0 && absl::ascii_isspace(c)) continue;
    if (depth_ == 0 && c != '{') {
      return absl::DataLossError(
          absl::StrCat("expected a JSON object, found ", Quoted(std::string_view(&c, 1))));
    }
    buffer_.push_back(c);
    if (buffer_.size() > kMostFrameBytes) return TooLarge(buffer_.size());
    if (!Advance(c)) continue;
    SHUNT_RETURN_IF_ERROR(on_frame(buffer_));
    buffer_.clear();
  }
  return absl::OkStatus();
}

bool JsonFramer::Advance(char c) {
  if (in_text_) {
    if (is_escaped_) {
      is_escaped_ = false;
    } else if (c == '\\') {
      is_escaped_ = true;
    } else if (c == '"') {
      in_text_ = false;
    }
    return false;
  }
  if (c == '"') in_text_ = true;
  if (c == '{' || c == '[') ++depth_;
  if ((c == '}' || c == ']') && depth_ > 0) --depth_;
  return depth_ == 0;
}

}  // namespace shunt
