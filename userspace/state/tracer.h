// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_STATE_TRACER_H_
#define SHUNT_STATE_TRACER_H_

#include <optional>
#include <string_view>
#include <vector>

#include "userspace/state/datapath_state.h"

namespace shunt {

// The backend that a client had last, by session affinity.
struct LastBackend {
  IpAddress address;
  uint16_t port = 0;  // host byte order
  double idle_s = 0;  // since the client's last new connection
};

// Who dials.
struct TraceClient {
  std::optional<IpAddress> source;  // nullopt: not known, and then no source range names it
  bool in_host_namespace = false;
  bool left_alone = false;          // by --socket-lb, or its cgroup opted out
  std::optional<LastBackend> last;  // nullopt: none, or not known
};

// What decided a trace.
enum class TraceStep : uint8_t {
  kMartian,    // a packet from where nobody can be answered
  kFrontend,   // nothing of ours is dialled
  kProtocol,   // the hooks do not see this protocol (SCTP)
  kLeftAlone,  // somebody else is to see what this client dials
  kHostOnly,   // a loopback node port, dialled from a pod: the pod's own loopback
  kSource,     // the source ranges do not name the client
  kList,       // the list of the frontend: one of its backends, or its verdict where it is empty
};

// The fate of a new connection, and of the first datagram of a flow.
struct Trace {
  shunt_verdict verdict = SHUNT_NOT_A_SERVICE;
  TraceStep step = TraceStep::kFrontend;
  ServicePortName service;           // whatever step decided, where a frontend was found
  std::optional<Frontend> frontend;  // likewise
  // SHUNT_TRANSLATED: one of these, each with the same chance; with session
  // affinity the one that this client had last, if it still is among them.
  std::vector<Backend> candidates;
  uint32_t affinity_timeout_s = 0;  // 0: none
  std::optional<Backend> kept;      // the candidate that this client stays with
};

// Whether the hooks at the sockets of this node see who dials this. There is none
// for SCTP. What comes from outside are packets.
bool IsSeenAtSocket(const FrontendKey& dialled);

// Answers what the BPF programs would do with `dialled` in `state`: the
// frontend that is dialled, else that of all other ports of its address; from
// outside first what is said for there. Who may not dial it is told so, and what
// the hooks do not see is not translated. The scenario tests hold it against the programs
// themselves. It walks the whole state: for people and tests. Pure.
Trace TraceConnect(const DatapathState& state, const FrontendKey& dialled,
                   const TraceClient& client = {});

// The same for the first packet of a flow, from `client` and this port, that
// arrives at a device: what is dialled has SHUNT_SCOPE_OUTSIDE.
Trace TracePacket(const DatapathState& state, uint16_t source_port, const FrontendKey& dialled,
                  const TraceClient& client);

// The errno of a call with this verdict, by name: "ECONNREFUSED"; "" where the
// call goes on. `only_eperm`: of a kernel before 5.18, which has no other.
std::string_view ErrnoName(shunt_verdict verdict, bool only_eperm);

// "translated", "no_endpoint": the verdict's name for people and metrics, with
// '_' between words.
std::string_view VerdictName(shunt_verdict verdict);

}  // namespace shunt

#endif  // SHUNT_STATE_TRACER_H_
