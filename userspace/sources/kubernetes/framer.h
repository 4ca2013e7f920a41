// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_FRAMER_H_
#define SHUNT_SOURCES_KUBERNETES_FRAMER_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace shunt {

// The largest event of a watch that is taken, as client-go has it.
inline constexpr size_t kMostFrameBytes = 16 << 20;

// Cuts a stream into frames, wherever the pieces end in which it comes.
class Framer {
 public:
  using OnFrame = absl::FunctionRef<absl::Status(std::string_view frame)>;

  virtual ~Framer() = default;

  // Calls `on_frame` for each frame that `piece` completes. An error (its own, or
  // that of `on_frame`) ends the stream.
  virtual absl::Status Feed(std::string_view piece, OnFrame on_frame) = 0;

  // Whether the stream may end here: no frame has begun.
  virtual bool AtBoundary() const = 0;
};

// Frames behind their lengths: 4 bytes, in network byte order.
class LengthFramer : public Framer {
 public:
  absl::Status Feed(std::string_view piece, OnFrame on_frame) override;
  bool AtBoundary() const override { return buffer_.empty(); }

 private:
  std::string buffer_;  // of the frame that has begun, with its length
};

// JSON objects, one behind the other with or without blanks between them.
class JsonFramer : public Framer {
 public:
  absl::Status Feed(std::string_view piece, OnFrame on_frame) override;
  bool AtBoundary() const override { return depth_ == 0; }

 private:
  // Whether the object ends with this character.
  bool Advance(char c);

  std::string buffer_;  // of the object that has begun
  size_t depth_ = 0;
  bool in_text_ = false;
  bool is_escaped_ = false;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_FRAMER_H_
