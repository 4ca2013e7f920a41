// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_PACKET_RUNNER_H_
#define SHUNT_TESTS_SUPPORT_PACKET_RUNNER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tests/support/packet.h"

namespace shunt::testing {

// What a program did with a frame.
struct Outcome {
  enum class Fate : uint8_t {
    kGoesOn,  // to the stack, or out
    kDropped,
    kSentBack,  // out of the device that it came from
  };

  Fate fate = Fate::kDropped;
  Frame frame;  // as it is afterwards
};

// Gives frames to the packet programs that are pinned in `bpffs`, by
// BPF_PROG_TEST_RUN: no device sees them.
class PacketRunner {
 public:
  explicit PacketRunner(std::string bpffs) : bpffs_(std::move(bpffs)) {}

  // `device`: the index of that which is said to have received it; 1: loopback.
  absl::StatusOr<Outcome> Arrive(const Frame& frame, uint32_t device = 1) const {
    return Run("shunt_ingress", frame, device);
  }
  absl::StatusOr<Outcome> Leave(const Frame& frame, uint32_t device = 1) const {
    return Run("shunt_egress", frame, device);
  }
  // By the program of that name.
  absl::StatusOr<Outcome> Run(std::string_view program, const Frame& frame, uint32_t device) const;

 private:
  const std::string bpffs_;
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_PACKET_RUNNER_H_
