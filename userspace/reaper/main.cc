// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <memory>
#include <utility>

#include "userspace/base/capabilities.h"
#include "userspace/base/status.h"
#include "userspace/datapath/stale_sockets.h"
#include "userspace/reaper/options.h"
#include "userspace/reaper/packet_socket.h"
#include "userspace/reaper/reaper.h"
#include "userspace/reaper/server.h"
#include "userspace/telemetry/logging.h"

namespace {

// Readable once the process is told to end.
shunt::UniqueFd EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return shunt::UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC));
}

absl::Status Serve(const shunt::ReaperOptions& options) {
  shunt::UniqueFd stop = EndSignals();
  // To load the programs and to enter network namespaces; and to find those that
  // have no name, through /proc/PID/ns/net of other users' processes.
  SHUNT_RETURN_IF_ERROR(shunt::KeepCapabilities({CAP_SYS_ADMIN, CAP_SYS_PTRACE}));
  SHUNT_ASSIGN_OR_RETURN(shunt::UniqueFd listener, shunt::ListenPacketSocket(options.socket));
  shunt::LogInfo(
      "started",
      {{"version", SHUNT_VERSION}, {"bpffs", options.bpffs}, {"socket", options.socket}});
  shunt::Reaper reaper([&] { return shunt::StaleSockets::Load(options.bpffs); });
  const absl::Status status =
      shunt::ReaperServer(std::move(listener), std::move(stop), reaper).Run();
  unlink(options.socket.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const std::variant<shunt::ReaperOptions, int> parsed = shunt::ParseReaperOptions(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<shunt::ReaperOptions>(parsed);
  shunt::ConfigureLogging(options.log_format, options.verbosity);
  if (absl::Status status = Serve(options); !status.ok()) {
    shunt::LogError("shunt-reaper cannot go on", {{"err", status}});
    return 1;
  }
  return 0;
}
