// SPDX-License-Identifier: Apache-2.0
#include "tests/support/packet.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"

namespace shunt::testing {
namespace {

constexpr uint8_t kIcmp = 1, kIcmpv6 = 58;
constexpr size_t kTcpHeader = 20, kUdpHeader = 8, kIcmpHeader = 8;
constexpr size_t kSctpHeader = 12, kChunkHeader = 4;

bool IsIpv4(const IpAddress& address) { return address.family() == Family::kIpv4; }

size_t AddressSize(const IpAddress& address) { return IsIpv4(address) ? 4 : 16; }

void Put16(Frame& bytes, uint16_t value) {
  bytes.push_back(value >> 8);
  bytes.push_back(value & 0xff);
}

void Set16(Frame& bytes, size_t at, uint16_t value) {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

uint16_t Get16(const Frame& bytes, size_t at) { return bytes[at] << 8 | bytes[at + 1]; }

void Put(Frame& bytes, const IpAddress& address) {
  const size_t size = AddressSize(address);
  bytes.insert(bytes.end(), address.bytes().end() - size, address.bytes().end());
}

void Put(Frame& bytes, const Frame& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

// RFC 1071, not inverted.
uint16_t Sum(const Frame& bytes, uint32_t sum = 0) {
  for (size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

// Of the addresses, the protocol and all that follows the header of IP.
uint16_t PseudoSum(const IpAddress& from, const IpAddress& to, uint8_t protocol,
                   const Frame& body) {
  Frame pseudo;
  Put(pseudo, from);
  Put(pseudo, to);
  Put16(pseudo, protocol);
  Put16(pseudo, body.size());
  return Sum(body, Sum(pseudo));
}

Frame IpHeader(const IpAddress& from, const IpAddress& to, uint8_t protocol, size_t length,
               const Packet& packet) {
  Frame header;
  const std::string& extra = packet.extra;
  if (IsIpv4(from)) {
    header = {static_cast<uint8_t>(0x40 + (20 + extra.size()) / 4), 0};
    Put16(header, 20 + extra.size() + length);
    Put16(header, 0x1234);
    Put16(header, packet.fragment);
    header.insert(header.end(), {64, protocol, 0, 0});
  } else {
    header = {0x60, 0, 0, 0};
    Put16(header, extra.size() + length);
    header.push_back(extra.empty() ? protocol : packet.first_extension);
    header.push_back(64);
  }
  Put(header, from);
  Put(header, to);
  header.insert(header.end(), extra.begin(), extra.end());
  if (IsIpv4(from)) Set16(header, 10, ~Sum(header));
  return header;
}

Frame LinkHeader(const IpAddress& from) {
  Frame header = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  Put16(header, IsIpv4(from) ? 0x0800 : 0x86dd);
  return header;
}

// CRC-32C (RFC 9260, appendix A), as it stands in a packet.
uint32_t Crc32c(const Frame& bytes) {
  uint32_t crc = ~0u;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return __builtin_bswap32(~crc);
}

void Set32(Frame& bytes, size_t at, uint32_t value) {
  Set16(bytes, at, value >> 16);
  Set16(bytes, at + 2, value & 0xffff);
}

Frame SctpBody(const Packet& packet) {
  Frame body;
  Put16(body, packet.from.port);
  Put16(body, packet.to.port);
  body.insert(body.end(), {0, 0, 0, 7, 0, 0, 0, 0, packet.chunk, 0});
  Put16(body, kChunkHeader + packet.payload.size());
  body.insert(body.end(), packet.payload.begin(), packet.payload.end());
  body.resize((body.size() + 3) / 4 * 4);
  Set32(body, 8, Crc32c(body));
  return body;
}

Frame Body(const Packet& packet) {
  if (packet.protocol == SHUNT_SCTP) return SctpBody(packet);
  Frame body;
  const bool is_udp = packet.protocol == SHUNT_UDP;
  Put16(body, packet.from.port);
  Put16(body, packet.to.port);
  if (is_udp) {
    Put16(body, kUdpHeader + packet.payload.size());
    Put16(body, 0);
  } else {
    body.insert(body.end(), {0, 0, 0, 1, 0, 0, 0, 2, 0x50, packet.flags, 0xff, 0xff, 0, 0, 0, 0});
  }
  body.insert(body.end(), packet.payload.begin(), packet.payload.end());
  const uint16_t sum = ~PseudoSum(packet.from.address, packet.to.address, packet.protocol, body);
  if (is_udp && packet.has_checksum) Set16(body, 6, sum == 0 ? 0xffff : sum);
  if (!is_udp) Set16(body, 16, sum);
  return body;
}

// Header of IP and all behind it.
Frame IpPacket(const Packet& packet) {
  const Frame body = Body(packet);
  Frame bytes =
      IpHeader(packet.from.address, packet.to.address, packet.protocol, body.size(), packet);
  Put(bytes, body);
  return bytes;
}

// A header of IP that is read.
struct Header {
  IpAddress from, to;
  uint8_t protocol = 0;
  size_t size = 0;  // with options and extension headers
  bool checksum_fits = true;
};

IpAddress AddressAt(const Frame& bytes, size_t at, bool is_ipv4) {
  IpAddress::Bytes address = {};
  if (is_ipv4) address[10] = address[11] = 0xff;
  std::copy_n(bytes.begin() + at, is_ipv4 ? 4 : 16, address.begin() + (is_ipv4 ? 12 : 0));
  return IpAddress(address);
}

absl::StatusOr<Header> ReadHeader(const Frame& bytes) {
  if (bytes.size() < 20) return absl::InvalidArgumentError("no header of IP");
  const bool is_ipv4 = bytes[0] >> 4 == 4;
  Header header;
  header.size = is_ipv4 ? size_t{4} * (bytes[0] & 15) : 40;
  if (bytes.size() < header.size) return absl::InvalidArgumentError("half a header of IP");
  header.protocol = bytes[is_ipv4 ? 9 : 6];
  header.from = AddressAt(bytes, is_ipv4 ? 12 : 8, is_ipv4);
  header.to = AddressAt(bytes, is_ipv4 ? 16 : 24, is_ipv4);
  if (is_ipv4) {
    header.checksum_fits = Sum(Frame(bytes.begin(), bytes.begin() + header.size)) == 0xffff;
    return header;
  }
  const auto is_extension = [](uint8_t next) { return next == 0 || next == 60; };
  while (is_extension(header.protocol) && bytes.size() >= header.size + 8) {
    header.protocol = bytes[header.size];
    header.size += 8 * (size_t{bytes[header.size + 1]} + 1);
  }
  return header;
}

constexpr size_t kIpv4Header = 20, kIpv6Header = 40, kFragmentHeader = 8;

bool IsIpv4Frame(const Frame& frame) { return frame[kLinkHeader - 2] == 0x08; }

// Header of the link and of IP, of `frame`, for so much behind it.
Frame HeadersFor(const Frame& frame, size_t length) {
  const bool is_ipv4 = IsIpv4Frame(frame);
  const size_t size = is_ipv4 ? kIpv4Header : kIpv6Header;
  Frame headers(frame.begin(), frame.begin() + kLinkHeader + size);
  Set16(headers, kLinkHeader + (is_ipv4 ? 2 : 4), length + (is_ipv4 ? size : 0));
  return headers;
}

void FitIpv4Checksum(Frame& frame) {
  Set16(frame, kLinkHeader + 10, 0);
  const Frame header(frame.begin() + kLinkHeader, frame.begin() + kLinkHeader + kIpv4Header);
  Set16(frame, kLinkHeader + 10, ~Sum(header));
}

// The headers of a fragment that begins at `offset` of so many bytes.
Frame FragmentHeaders(const Frame& frame, size_t offset, size_t length, bool is_last) {
  const uint16_t more = is_last ? 0 : 1;
  if (IsIpv4Frame(frame)) {
    Frame headers = HeadersFor(frame, length);
    Set16(headers, kLinkHeader + 6, more << 13 | offset / 8);
    FitIpv4Checksum(headers);
    return headers;
  }
  Frame headers = HeadersFor(frame, kFragmentHeader + length);
  uint8_t& next = headers[kLinkHeader + 6];
  headers.insert(headers.end(), {next, 0});
  Put16(headers, offset | more);
  headers.insert(headers.end(), {0, 0, 0x12, 0x34});
  headers[kLinkHeader + 6] = 44;
  return headers;
}

absl::StatusOr<Packet> ReadSctp(const Header& header, Frame body) {
  if (body.size() < kSctpHeader + kChunkHeader) return absl::InvalidArgumentError("half of SCTP");
  Packet packet{.from = {header.from, Get16(body, 0)}, .to = {header.to, Get16(body, 2)}};
  packet.protocol = SHUNT_SCTP;
  packet.flags = 0;
  packet.chunk = body[kSctpHeader];
  const size_t end = std::min<size_t>(kSctpHeader + Get16(body, kSctpHeader + 2), body.size());
  packet.payload = std::string(body.begin() + kSctpHeader + kChunkHeader, body.begin() + end);
  const uint32_t checksum = uint32_t{Get16(body, 8)} << 16 | Get16(body, 10);
  Set32(body, 8, 0);
  packet.checksums_fit = header.checksum_fits && checksum == Crc32c(body);
  return packet;
}

Frame From(const Frame& bytes, size_t at) {
  return at <= bytes.size() ? Frame(bytes.begin() + at, bytes.end()) : Frame();
}

}  // namespace

Frame Build(const Packet& packet) {
  Frame frame = LinkHeader(packet.from.address);
  Put(frame, IpPacket(packet));
  return frame;
}

absl::StatusOr<Packet> Read(const Frame& frame) {
  const Frame bytes = From(frame, kLinkHeader);
  absl::StatusOr<Header> header = ReadHeader(bytes);
  if (!header.ok()) return header.status();
  const Frame body = From(bytes, header->size);
  if (header->protocol == SHUNT_SCTP) return ReadSctp(*header, body);
  const bool is_udp = header->protocol == SHUNT_UDP;
  const size_t size = is_udp ? kUdpHeader : kTcpHeader;
  if ((!is_udp && header->protocol != SHUNT_TCP) || body.size() < size) {
    return absl::InvalidArgumentError("neither TCP nor UDP nor SCTP");
  }
  Packet packet{.from = {header->from, Get16(body, 0)}, .to = {header->to, Get16(body, 2)}};
  packet.protocol = is_udp ? SHUNT_UDP : SHUNT_TCP;
  packet.flags = is_udp ? 0 : body[13];
  packet.payload = std::string(body.begin() + size, body.end());
  packet.has_checksum = Get16(body, is_udp ? 6 : 16) != 0;
  const bool fits = PseudoSum(header->from, header->to, header->protocol, body) == 0xffff;
  packet.checksums_fit = header->checksum_fits && (fits || (is_udp && !packet.has_checksum));
  return packet;
}

std::vector<Frame> Split(const Frame& frame, size_t size) {
  const Frame body = From(frame, kLinkHeader + (IsIpv4Frame(frame) ? kIpv4Header : kIpv6Header));
  std::vector<Frame> fragments;
  for (size_t offset = 0; offset < body.size(); offset += size) {
    const size_t length = std::min(size, body.size() - offset);
    Frame fragment = FragmentHeaders(frame, offset, length, offset + length == body.size());
    fragment.insert(fragment.end(), body.begin() + offset, body.begin() + offset + length);
    fragments.push_back(std::move(fragment));
  }
  return fragments;
}

absl::StatusOr<Frame> Join(const std::vector<Frame>& fragments) {
  const bool is_ipv4 = IsIpv4Frame(fragments.at(0));
  const size_t headers = kLinkHeader + (is_ipv4 ? kIpv4Header : kIpv6Header + kFragmentHeader);
  const absl::StatusOr<Header> first = ReadHeader(From(fragments[0], kLinkHeader));
  if (!first.ok()) return first.status();
  Frame body;
  for (const Frame& fragment : fragments) {
    const absl::StatusOr<Header> header = ReadHeader(From(fragment, kLinkHeader));
    if (!header.ok() || !header->checksum_fits) {
      return absl::InvalidArgumentError("a header that is wrong");
    }
    if (header->from != first->from || header->to != first->to) {
      return absl::InvalidArgumentError("a fragment of something else");
    }
    const size_t offset = is_ipv4 ? (Get16(fragment, kLinkHeader + 6) & 0x1fff) * 8
                                  : Get16(fragment, headers - 6) & 0xfff8;
    body.resize(std::max(body.size(), offset + fragment.size() - headers));
    std::copy(fragment.begin() + headers, fragment.end(), body.begin() + offset);
  }
  Frame whole = HeadersFor(fragments[0], body.size());
  if (is_ipv4) {
    Set16(whole, kLinkHeader + 6, 0);
    FitIpv4Checksum(whole);
  } else {
    whole[kLinkHeader + 6] = fragments[0][headers - 8];
  }
  Put(whole, body);
  return whole;
}

Frame Build(const IcmpError& error) {
  const bool is_ipv4 = IsIpv4(error.from);
  Frame body = {error.type, error.code, 0, 0, 0, 0, 0, 0};
  Frame held = IpPacket(error.about);
  held.resize(std::min(held.size(), error.held));
  Put(body, held);
  Set16(body, 2, ~(is_ipv4 ? Sum(body) : PseudoSum(error.from, error.to, kIcmpv6, body)));
  Frame frame = LinkHeader(error.from);
  Put(frame, IpHeader(error.from, error.to, is_ipv4 ? kIcmp : kIcmpv6, body.size(), {}));
  Put(frame, body);
  return frame;
}

absl::StatusOr<IcmpError> ReadError(const Frame& frame) {
  const Frame bytes = From(frame, kLinkHeader);
  absl::StatusOr<Header> header = ReadHeader(bytes);
  if (!header.ok()) return header.status();
  const bool is_ipv4 = IsIpv4(header->from);
  const Frame body = From(bytes, header->size);
  if (header->protocol != (is_ipv4 ? kIcmp : kIcmpv6) || body.size() < kIcmpHeader) {
    return absl::InvalidArgumentError("not ICMP");
  }
  const Frame held = From(body, kIcmpHeader);
  absl::StatusOr<Header> inner = ReadHeader(held);
  if (!inner.ok()) return inner.status();
  const Frame ports = From(held, inner->size);
  if (ports.size() < 8) return absl::InvalidArgumentError("too little is held");
  IcmpError error{.from = header->from, .to = header->to, .type = body[0], .code = body[1]};
  error.about.from = {inner->from, Get16(ports, 0)};
  error.about.to = {inner->to, Get16(ports, 2)};
  error.about.protocol = static_cast<shunt_protocol>(inner->protocol);
  error.held = held.size();
  const uint16_t sum = is_ipv4 ? Sum(body) : PseudoSum(header->from, header->to, kIcmpv6, body);
  error.checksums_fit = header->checksum_fits && inner->checksum_fits && sum == 0xffff;
  return error;
}

}  // namespace shunt::testing
