// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/session.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "userspace/api/unix_socket.h"
#include "userspace/base/status.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

bool IsDirectory(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

}  // namespace

absl::StatusOr<Source*> Session::source() {
  if (source_ == nullptr) SHUNT_RETURN_IF_ERROR(ChooseSource());
  return source_.get();
}

absl::Status Session::ChooseSource() {
  if (options_.source == "maps") {
    source_ = environment_.make_maps_source(options_.bpffs);
    return absl::OkStatus();
  }
  const absl::Status listens = ProbeSocket(options_.socket);
  if (listens.ok()) {
    source_ = MakeAgentSource(options_.socket, absl::Seconds(options_.timeout_seconds));
    return absl::OkStatus();
  }
  const std::string reason = absl::StrCat("no agent answers (", listens.message(), ")");
  const bool nobody = absl::IsNotFound(listens) || absl::IsUnavailable(listens);
  if (options_.source == "agent" || !nobody) return absl::Status(listens.code(), reason);
  if (!IsDirectory(options_.bpffs)) {
    return absl::NotFoundError(absl::StrCat(reason, ", and nothing is pinned in ", options_.bpffs));
  }
  err() << ForTerminal(absl::StrCat("shuntctl: ", reason, "; reading the maps in ", options_.bpffs))
        << '\n';
  source_ = environment_.make_maps_source(options_.bpffs);
  return absl::OkStatus();
}

}  // namespace shunt
