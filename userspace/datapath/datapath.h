// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_DATAPATH_H_
#define SHUNT_DATAPATH_DATAPATH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "shunt/config.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/packet_device.h"
#include "userspace/datapath/packet_origin.h"

namespace shunt {

// The maps and programs in the kernel: loads them, takes over what an earlier
// agent pinned, attaches, pins, removes. One process at a time holds a bpffs
// directory; it is locked until the object goes. Destroying it leaves
// everything attached and pinned: traffic goes on.
//
// Belongs to the control thread.
class Datapath {
 public:
  // Whose connections the socket hooks translate.
  enum class SocketLb : uint8_t {
    kAll,   // of every process in the cgroup
    kHost,  // of those in the host's network namespace
    kOff,   // of nobody: nothing is attached
  };

  // How long what is idle is remembered; zero: as conntrack does by itself.
  struct Timeouts {
    absl::Duration udp, udp_stream;                  // before and after the first answer
    absl::Duration tcp_established, tcp_close_wait;  // of packets
  };

  struct Options {
    std::string bpffs;   // directory for the pins, made if missing; on a bpf file system
    std::string cgroup;  // directory of a cgroup v2 whose processes are served
    std::string build;   // version to leave in shunt_meta
    SocketLb socket_lb = SocketLb::kAll;
    bool packets = false;         // also what arrives at devices: see SetDevices()
    bool masquerade_all = false;  // kube-proxy's masqueradeAll, for packets
    Timeouts timeouts;
  };

  // Adopts the pinned maps where they have our layout, else makes new ones
  // beside them, and loads the programs. Changes nothing for traffic. The
  // calling thread is in the host's network namespace.
  // Unavailable: another agent holds the directory. FailedPrecondition: kHost on
  // a kernel that cannot tell network namespaces apart (before 5.14).
  static absl::StatusOr<std::unique_ptr<Datapath>> Open(const Options& options);

  virtual ~Datapath() = default;

  virtual MapStore& maps() = 0;
  // Puts the programs in charge and pins all: attaches them, or replaces those
  // that run; with kOff detaches those that run. To be called once the maps hold
  // a complete state.
  virtual absl::Status Attach() = 0;
  // Whether an earlier agent's programs and maps are in charge, from the start:
  // traffic is served while the first state is still awaited.
  virtual bool serves_already() const = 0;
  // Whose packets are looked at from now on. In the network namespace of Open(),
  // after Attach(). FailedPrecondition: Options::packets is off; else as
  // PacketPrograms::SetDevices().
  virtual absl::Status SetDevices(const std::vector<PacketDevice>& devices) = 0;
  // Who sends packets from which addresses, from now on. Errors as above.
  virtual absl::Status SetOrigins(const std::vector<PacketOrigin>& origins) = 0;
  // The configuration that the programs were loaded with.
  virtual const shunt_config& config() const = 0;
};

// What a kernel said to the programs and maps.
struct DatapathTrial {
  uint64_t map_bytes = 0;       // of kernel memory
  bool has_set_retval = false;  // connect() can be refused with ECONNREFUSED
};

// Makes the maps, loads the programs and lets go of both. Nothing is attached or
// pinned. Fails as Open() does where the kernel would not have them.
absl::StatusOr<DatapathTrial> TryDatapath();

// Detaches and removes everything that is pinned in `bpffs`, and the directory.
// Succeeds where there is nothing. Unavailable: an agent is running.
absl::Status RemoveDatapath(const std::string& bpffs);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_DATAPATH_H_
