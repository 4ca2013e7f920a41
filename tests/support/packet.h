// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_PACKET_H_
#define SHUNT_TESTS_SUPPORT_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "shunt/types.h"
#include "tests/support/socket_address.h"

namespace shunt::testing {

// A frame of Ethernet with a packet in it, byte by byte.
using Frame = std::vector<uint8_t>;

inline constexpr size_t kLinkHeader = 14;

inline constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;

// A packet as a test wants to write it, and as it reads one. Ports are in host
// byte order; the family is that of the addresses.
struct Packet {
  HostPort from, to;
  shunt_protocol protocol = SHUNT_TCP;
  uint8_t flags = kSyn;  // of TCP
  uint8_t chunk = 1;     // of SCTP: the type of the only one, INIT
  std::string payload = "";
  // Between the header of IP and what follows: IPv4 options, or whole extension
  // headers of IPv6 of which `first_extension` is the first.
  std::string extra = "";
  uint8_t first_extension = 0;
  uint16_t fragment = 0;      // of IPv4: offset and flags, as they stand there
  bool has_checksum = true;   // of UDP
  bool checksums_fit = true;  // read only: all that there are
};

// With right checksums.
Frame Build(const Packet& packet);
// What is no whole packet of TCP, UDP or SCTP is an error.
absl::StatusOr<Packet> Read(const Frame& frame);

// The frame in fragments of which each but the last has `size` bytes of it, a
// multiple of 8; and all of them, in whatever order, as one again. The frame has
// neither options nor extension headers.
std::vector<Frame> Split(const Frame& frame, size_t size);
// Where a header is wrong, or one does not belong there, there is no whole.
absl::StatusOr<Frame> Join(const std::vector<Frame>& fragments);

// An ICMP error about a packet, of which it holds the first `held` bytes.
struct IcmpError {
  IpAddress from, to;
  uint8_t type = 3, code = 3;
  Packet about;
  size_t held = 28;
  bool checksums_fit = true;  // read only: IP, ICMP, and that of the IP header held
};

Frame Build(const IcmpError& error);
// Of `about` only addresses, protocol and ports are known.
absl::StatusOr<IcmpError> ReadError(const Frame& frame);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_PACKET_H_
