// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"

namespace shunt {
namespace {

constexpr size_t kIpv4Offset = 12;  // of the four bytes in ::ffff:a.b.c.d
constexpr IpAddress::Bytes kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
// Longest text of an address, with room for the zeros that nobody needs. Keeps
// a text of megabytes from being looked at.
constexpr size_t kMaxTextLength = 128;

std::optional<int> ParseDecimal(std::string_view text, int max) {
  // SimpleAtoi takes signs and blanks too; a byte of an address has neither.
  int value = 0;
  if (text.empty() || !std::all_of(text.begin(), text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(Absl(text), &value) || value > max) {
    return std::nullopt;
  }
  return value;
}

// inet_pton refuses leading zeros and inet_aton reads them as octal; Kubernetes
// reads them as decimal, and so must everybody who acts on its objects
// (CVE-2021-29923).
std::optional<IpAddress::Bytes> ParseIpv4(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(Absl(text), '.');
  if (parts.size() != 4) return std::nullopt;
  IpAddress::Bytes bytes = kMappedPrefix;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::optional<int> byte = ParseDecimal(parts[i], 255);
    if (!byte) return std::nullopt;
    bytes[kIpv4Offset + i] = static_cast<uint8_t>(*byte);
  }
  return bytes;
}

std::optional<IpAddress::Bytes> ParseIpv6(std::string_view text) {
  std::string plain(text);
  if (text.find('.') != std::string_view::npos) {  // "::ffff:010.0.0.1"
    const size_t tail = text.rfind(':') + 1;
    const std::optional<IpAddress::Bytes> ipv4 = ParseIpv4(text.substr(tail));
    if (!ipv4) return std::nullopt;
    const uint8_t* b = ipv4->data() + kIpv4Offset;
    plain = absl::StrCat(Absl(text.substr(0, tail)), absl::Hex(b[0] << 8 | b[1]), ":",
                         absl::Hex(b[2] << 8 | b[3]));
  }
  IpAddress::Bytes bytes;
  if (inet_pton(AF_INET6, plain.c_str(), bytes.data()) != 1) return std::nullopt;
  return bytes;
}

// Clears what stands behind the first `length` of the 128 bits.
IpAddress Masked(const IpAddress& address, int length) {
  IpAddress::Bytes bytes = address.bytes();
  for (int i = 0; i < static_cast<int>(bytes.size()); ++i) {
    const int kept = std::clamp(length - 8 * i, 0, 8);
    bytes[i] &= static_cast<uint8_t>(0xff00 >> kept);
  }
  return IpAddress(bytes);
}

// Where the bits of a family begin among the 128.
int FirstBit(Family family) { return family == Family::kIpv4 ? 8 * kIpv4Offset : 0; }

}  // namespace

std::string_view FamilyName(Family family) { return family == Family::kIpv4 ? "IPv4" : "IPv6"; }

absl::StatusOr<IpAddress> IpAddress::Parse(std::string_view text) {
  std::optional<Bytes> bytes;
  // A NUL would end the text early for inet_pton.
  if (text.size() <= kMaxTextLength && text.find('\0') == std::string_view::npos) {
    bytes = text.find(':') == std::string_view::npos ? ParseIpv4(text) : ParseIpv6(text);
  }
  if (!bytes) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is not an IP address"));
  }
  return IpAddress(*bytes);
}

Family IpAddress::family() const {
  return std::equal(bytes_.begin(), bytes_.begin() + kIpv4Offset, kMappedPrefix.begin())
             ? Family::kIpv4
             : Family::kIpv6;
}

bool IpAddress::IsUnspecified() const { return bytes_ == Bytes{} || bytes_ == kMappedPrefix; }

bool IpAddress::IsLoopback() const {
  if (family() == Family::kIpv4) return bytes_[kIpv4Offset] == 127;
  Bytes loopback{};
  loopback.back() = 1;
  return bytes_ == loopback;
}

bool IpAddress::IsLinkLocal() const {
  if (family() == Family::kIpv4) {
    return bytes_[kIpv4Offset] == 169 && bytes_[kIpv4Offset + 1] == 254;
  }
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::IsMulticast() const {
  return family() == Family::kIpv4 ? (bytes_[kIpv4Offset] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::IsBroadcast() const {
  return family() == Family::kIpv4 && std::all_of(bytes_.begin() + kIpv4Offset, bytes_.end(),
                                                  [](uint8_t b) { return b == 255; });
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  if (family() == Family::kIpv4) {
    inet_ntop(AF_INET, bytes_.data() + kIpv4Offset, text, sizeof(text));
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text, sizeof(text));
  }
  return text;
}

std::string AddressAndPort(const IpAddress& address, uint16_t port) {
  return address.family() == Family::kIpv4 ? absl::StrCat(address.ToString(), ":", port)
                                           : absl::StrCat("[", address.ToString(), "]:", port);
}

absl::StatusOr<Cidr> Cidr::Parse(std::string_view text) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(Absl(text), absl::MaxSplits('/', 1));
  const absl::StatusOr<IpAddress> address = IpAddress::Parse(parts.first);
  std::optional<int> length;
  if (address.ok()) {
    // The length counts in the notation that was written: "::ffff:10.0.0.0/104"
    // is 10.0.0.0/8.
    const bool ipv6_notation = parts.first.find(':') != std::string::npos;
    length = ParseDecimal(parts.second, ipv6_notation ? 128 : 32);
    if (length && ipv6_notation) *length -= FirstBit(address->family());
  }
  if (!length || *length < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is not a range of addresses like 10.0.0.0/8"));
  }
  return Cidr(Masked(*address, FirstBit(address->family()) + *length), *length);
}

absl::StatusOr<Cidr> Cidr::Make(const IpAddress& address, int prefix_length) {
  const int first = FirstBit(address.family());
  if (prefix_length < 0 || first + prefix_length > 128) {
    return absl::InvalidArgumentError(
        absl::StrCat(prefix_length, " is no length of a prefix of ", address.ToString()));
  }
  return Cidr(Masked(address, first + prefix_length), prefix_length);
}

bool Cidr::Contains(const IpAddress& address) const {
  return address.family() == family() &&
         Masked(address, FirstBit(family()) + prefix_length_) == address_;
}

std::string Cidr::ToString() const {
  return absl::StrCat(address_.ToString(), "/", prefix_length_);
}

}  // namespace shunt
