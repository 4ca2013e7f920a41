// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "userspace/api/unix_socket.h"
#include "userspace/cli/command.h"

namespace shunt {
namespace {

// Never of the pinned maps: they serve, but nobody keeps them up to date.
absl::Status AskAgent(const Options& options) {
  if (absl::Status listens = ProbeSocket(options.socket); !listens.ok()) {
    return absl::Status(listens.code(), absl::StrCat("no agent answers (", listens.message(), ")"));
  }
  return AskWhetherReady(options.socket, absl::Seconds(options.timeout_seconds));
}

}  // namespace

absl::Status ProbeLive(Session& session) {
  const absl::Status ready = AskAgent(session.options());
  if (!ready.ok() && !absl::IsFailedPrecondition(ready)) return ready;
  session.out() << "alive\n";
  return absl::OkStatus();
}

absl::Status ProbeReady(Session& session) {
  if (absl::Status ready = AskAgent(session.options()); !ready.ok()) return ready;
  session.out() << "ready\n";
  return absl::OkStatus();
}

}  // namespace shunt
