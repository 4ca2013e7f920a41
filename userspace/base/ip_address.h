// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_BASE_IP_ADDRESS_H_
#define SHUNT_BASE_IP_ADDRESS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace shunt {

enum class Family : uint8_t { kIpv4, kIpv6 };

std::string_view FamilyName(Family family);  // "IPv4", "IPv6"

// An IPv4 or IPv6 address: 16 bytes in network byte order, IPv4 as
// ::ffff:a.b.c.d. One type for both families, so "::ffff:10.0.0.1" is the
// IPv4 address 10.0.0.1. A value: thread-compatible, cheap to copy.
class IpAddress {
 public:
  using Bytes = std::array<uint8_t, 16>;

  constexpr IpAddress() = default;  // "::"
  constexpr explicit IpAddress(const Bytes& bytes) : bytes_(bytes) {}

  // Reads what Kubernetes reads (ParseIPSloppy): leading zeros are decimal, so
  // "010.0.0.1" is 10.0.0.1. No zone, prefix, brackets or blanks.
  static absl::StatusOr<IpAddress> Parse(std::string_view text);

  const Bytes& bytes() const { return bytes_; }
  Family family() const;

  bool IsUnspecified() const;  // 0.0.0.0 or ::
  bool IsLoopback() const;     // 127.0.0.0/8 or ::1
  bool IsLinkLocal() const;    // 169.254.0.0/16 or fe80::/10
  bool IsMulticast() const;    // 224.0.0.0/4 or ff00::/8
  bool IsBroadcast() const;    // 255.255.255.255

  std::string ToString() const;  // "10.0.0.1", "fd00::1" (RFC 5952)

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const IpAddress& address) {
    return H::combine(std::move(state), address.bytes_);
  }

 private:
  Bytes bytes_{};
};

// "10.0.0.1:80", "[fd00::1]:80". `port` is in host byte order.
std::string AddressAndPort(const IpAddress& address, uint16_t port);

// A prefix; the bits behind it are zero.
class Cidr {
 public:
  // "10.0.0.0/8", "fd00::/64". Bits behind the prefix are cleared, as
  // Kubernetes does; leading zeros are decimal.
  static absl::StatusOr<Cidr> Parse(std::string_view text);

  // The prefix of this length that `address` is in.
  static absl::StatusOr<Cidr> Make(const IpAddress& address, int prefix_length);
  // This address and no other: a prefix of all its bits.
  static Cidr Of(const IpAddress& address) {
    return {address, address.family() == Family::kIpv4 ? 32 : 128};
  }

  const IpAddress& address() const { return address_; }
  // Of the family: 0 to 32, or 0 to 128.
  int prefix_length() const { return prefix_length_; }
  Family family() const { return address_.family(); }
  bool Contains(const IpAddress& address) const;  // never across families
  std::string ToString() const;

  friend auto operator<=>(const Cidr&, const Cidr&) = default;

 private:
  Cidr(const IpAddress& address, int prefix_length)
      : address_(address), prefix_length_(prefix_length) {}

  IpAddress address_;
  int prefix_length_ = 0;
};

}  // namespace shunt

#endif  // SHUNT_BASE_IP_ADDRESS_H_
