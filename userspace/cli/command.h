// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_COMMAND_H_
#define SHUNT_CLI_COMMAND_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "userspace/cli/session.h"

namespace shunt {

// Which options a command has beside those of all commands.
enum CommandOptions : unsigned {
  kNoOptions = 0,
  kNamespaces = 1 << 0,    // -A
  kOutput = 1 << 1,        // -o table|wide|json|yaml, --no-headers
  kWatch = 1 << 2,         // -w, --output-watch-events
  kOptionalName = 1 << 3,  // [NAME]
  kServiceName = 1 << 4,   // NAME of a Service, completed with those that exist
  kRequiredName = 1 << 5,
  kObjectOutput = 1 << 6,  // -o table|json|yaml
  kShell = 1 << 7,         // bash|zsh|fish
  kClientOnly = 1 << 8,    // --client
  kTarget = 1 << 9,        // IP:PORT, --from-pod, --from-netns, --from-host
  kCgroup = 1 << 10,       // CGROUP
  kFlows = 1 << 11,        // --address, --protocol, --state
  kPacket = 1 << 12,       // FROM TO, --device
};

// A row of the table of commands: all there is to a command, but its function.
struct Command {
  const char* parent;  // "get", or "" for shuntctl itself
  const char* name;
  const char* aliases;  // separated by blanks
  const char* summary;
  const char* examples;  // lines, as one would type them
  unsigned options;      // CommandOptions
  // Prints what it found to session.out(). An error becomes a message and exit
  // code 1.
  absl::Status (*run)(Session& session);
};

// Every command, in the order of the help.
absl::Span<const Command> Commands();

// A command is a function in a file of this folder that has its name.
absl::Status GetServices(Session& session);
absl::Status GetBackends(Session& session);
absl::Status GetSockets(Session& session);
absl::Status GetFlows(Session& session);
absl::Status GetMaps(Session& session);
absl::Status GetPrograms(Session& session);
absl::Status GetAffinity(Session& session);
absl::Status ExplainService(Session& session);
absl::Status ExplainConnect(Session& session);
absl::Status ExplainPacket(Session& session);
absl::Status AddOptOut(Session& session);
absl::Status RemoveOptOut(Session& session);
absl::Status ListOptOuts(Session& session);
absl::Status DescribeService(Session& session);
absl::Status ShowStatus(Session& session);
absl::Status ShowDump(Session& session);
absl::Status ProbeLive(Session& session);
absl::Status ProbeReady(Session& session);
absl::Status ShowVersion(Session& session);
absl::Status PrintCompletionScript(Session& session);

}  // namespace shunt

#endif  // SHUNT_CLI_COMMAND_H_
