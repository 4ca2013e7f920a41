// SPDX-License-Identifier: Apache-2.0
#include "tests/support/packet_runner.h"

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {
namespace {

constexpr size_t kMostGrowth = 256;

absl::StatusOr<Outcome::Fate> FateOf(uint32_t action) {
  switch (static_cast<int>(action)) {
    case TC_ACT_UNSPEC:
      return Outcome::Fate::kGoesOn;
    case TC_ACT_SHOT:
      return Outcome::Fate::kDropped;
    case TC_ACT_REDIRECT:
      return Outcome::Fate::kSentBack;
    default:
      return absl::InternalError(absl::StrCat("the program returned ", action));
  }
}

}  // namespace

absl::StatusOr<Outcome> PacketRunner::Run(std::string_view program, const Frame& frame,
                                          uint32_t device) const {
  const std::string pin = absl::StrCat(bpffs_, "/", std::string(program));
  const UniqueFd fd(bpf_obj_get(pin.c_str()));
  if (!fd.ok()) return ErrnoStatus(pin);
  __sk_buff context = {};
  context.ifindex = device;
  Outcome outcome;
  outcome.frame.resize(frame.size() + kMostGrowth);
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = outcome.frame.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()),
              .data_size_out = static_cast<uint32_t>(outcome.frame.size()), .ctx_in = &context,
              .ctx_size_in = sizeof(context));
  if (bpf_prog_test_run_opts(fd.get(), &options) < 0) return ErrnoStatus("BPF_PROG_TEST_RUN");
  outcome.frame.resize(options.data_size_out);
  SHUNT_ASSIGN_OR_RETURN(outcome.fate, FateOf(options.retval));
  return outcome;
}

}  // namespace shunt::testing
