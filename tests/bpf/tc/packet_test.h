// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BPF_TC_PACKET_TEST_H_
#define SHUNT_TESTS_BPF_TC_PACKET_TEST_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shunt/abi.h"
#include "tests/support/datapath_test.h"
#include "tests/support/packet.h"
#include "tests/support/packet_runner.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {

// The addresses of one family.
struct Places {
  HostPort client, router;
  HostPort vip;     // at this node
  HostPort other;   // a second frontend of the same Service
  HostPort local;   // a backend on this node
  HostPort remote;  // one on another
  IpAddress node;   // of this node's device
};

Places PlacesOf(Family family);

// The base of tests of single packets through the packet programs.
class PacketTest : public DatapathTest {
 protected:
  using Fate = Outcome::Fate;

  bool packets() const override { return true; }

  // Makes a Service of one port. `change` has the last word.
  void Serve(const std::vector<HostPort>& frontends, const std::vector<Backend>& backends,
             shunt_protocol protocol = SHUNT_TCP,
             const std::function<void(ServicePortState&)>& change = nullptr);
  static Backend On(const HostPort& place, bool this_node) {
    return {.address = place.address,
            .port = place.port,
            .on_this_node = this_node,
            .in_cluster_list = true};
  }

  // Makes a device, with an address of each family, whose packets are looked at.
  void MakeDevice();
  uint32_t device() const { return device_; }

  Outcome Arrive(const Frame& frame);
  Outcome Leave(const Frame& frame);
  // A packet that has to go on, as it is afterwards, with checksums that fit.
  Packet Arrived(const Packet& packet) { return GoneOn(Arrive(Build(packet))); }
  Packet Left(const Packet& packet) { return GoneOn(Leave(Build(packet))); }
  static Packet GoneOn(const Outcome& outcome);
  // It goes on as it came.
  static void ExpectUntouched(const Outcome& outcome, const Frame& frame);

  size_t Flows() const { return FlowKeys().size(); }
  // Makes all flows as old as if nobody had used them for so long.
  void Age(uint64_t seconds) const;
  // The table forgets all that leaves.
  void ForgetLeaving() const;

 private:
  UniqueFd FlowMap() const;
  std::vector<shunt_flow_key> FlowKeys() const;

  uint32_t device_ = 1;
};

// The packet that answers this one.
Packet AnswerTo(const Packet& packet, uint8_t flags = kSyn | kAck);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_BPF_TC_PACKET_TEST_H_
