// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <vector>

#include "userspace/agent/agent.h"
#include "userspace/agent/host.h"
#include "userspace/agent/memory.h"
#include "userspace/agent/options.h"
#include "userspace/agent/preflight.h"
#include "userspace/base/status.h"
#include "userspace/datapath/datapath.h"
#include "userspace/telemetry/logging.h"

namespace {

// Ends by default, which a pod's first process does not.
absl::Status Hold() {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  sigprocmask(SIG_BLOCK, &end, nullptr);
  int signal = 0;
  sigwait(&end, &signal);
  return absl::OkStatus();
}

// The same process with the same arguments from the beginning: whoever started it
// notices nothing.
absl::Status StartAnew(const shunt::Options& options) {
  std::vector<char*> words;
  for (const std::string& word : options.arguments) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  shunt::FlushLogs(absl::Seconds(1));
  execv(std::filesystem::read_symlink("/proc/self/exe").c_str(), words.data());
  return shunt::ErrnoStatus("starting anew");
}

absl::Status ServeOn(const shunt::Options& options) {
  SHUNT_ASSIGN_OR_RETURN(const shunt::ServeEnd end, shunt::Serve(options));
  return end == shunt::ServeEnd::kReload ? StartAnew(options) : absl::OkStatus();
}

absl::Status Run(const shunt::Options& options) {
  switch (options.action) {
    case shunt::Options::Action::kCleanup:
      return shunt::RemoveDatapath(options.bpffs);
    case shunt::Options::Action::kInitOnly:
      return shunt::PrepareHost(options.config);
    case shunt::Options::Action::kServe:
      return ServeOn(options);
    case shunt::Options::Action::kPreflight:
      return shunt::Preflight(options);
    case shunt::Options::Action::kHold:
      return Hold();
  }
  return absl::InternalError("an action without a case");
}

}  // namespace

int main(int argc, char** argv) {
  shunt::UseOneHeap();
  const std::variant<shunt::Options, int> parsed = shunt::ParseOptions(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const shunt::Options& options = std::get<shunt::Options>(parsed);
  shunt::ConfigureLogging(options.log_format, options.verbosity);
  if (absl::Status status = Run(options); !status.ok()) {
    shunt::LogError("shuntd cannot go on", {{"err", status}});
    return 1;
  }
  return 0;
}
