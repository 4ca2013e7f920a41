// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/source_key.h"

#include <algorithm>
#include <cstring>

#include "userspace/datapath/abi_address.h"

namespace shunt {
namespace {

constexpr uint32_t kServiceIdBits = 32;
constexpr uint32_t kMappedBits = 96;  // ::ffff:0:0/96, where IPv4 is

uint32_t BitsBeforeFamily(Family family) {
  return kServiceIdBits + (family == Family::kIpv4 ? kMappedBits : 0);
}

// With the bits behind the prefix cleared.
shunt_addr SignificantPart(const shunt_source_key& key) {
  shunt_addr prefix = key.prefix;
  const uint32_t bits = key.prefix_length - std::min(key.prefix_length, kServiceIdBits);
  for (uint32_t byte = 0; byte < sizeof(prefix.bytes); ++byte) {
    const uint32_t kept = std::min(bits - std::min(bits, 8 * byte), 8u);
    prefix.bytes[byte] &= static_cast<uint8_t>(0xff00u >> kept);
  }
  return prefix;
}

}  // namespace

bool SourceKeyLess::operator()(const shunt_source_key& a, const shunt_source_key& b) const {
  if (a.service_id != b.service_id) return a.service_id < b.service_id;
  if (a.prefix_length != b.prefix_length) return a.prefix_length < b.prefix_length;
  const shunt_addr a_prefix = SignificantPart(a), b_prefix = SignificantPart(b);
  return std::memcmp(&a_prefix, &b_prefix, sizeof(shunt_addr)) < 0;
}

shunt_source_key SourceKeyOf(uint32_t service_id, const Cidr& range) {
  return {.prefix_length = BitsBeforeFamily(range.family()) + range.prefix_length(),
          .service_id = service_id,
          .prefix = ToAbi(range.address())};
}

uint8_t SourceValueOf(const shunt_source_key& key) {
  const bool is_ip4 = ToIpAddress(key.prefix).family() == Family::kIpv4 &&
                      key.prefix_length >= BitsBeforeFamily(Family::kIpv4);
  return is_ip4 ? 4 : 6;
}

std::optional<Cidr> RangeOf(const shunt_source_key& key) {
  const IpAddress address = ToIpAddress(key.prefix);
  const uint32_t before = BitsBeforeFamily(address.family());
  if (key.prefix_length < before) return std::nullopt;
  const absl::StatusOr<Cidr> range =
      Cidr::Make(address, static_cast<int>(key.prefix_length - before));
  return range.ok() ? std::optional(*range) : std::nullopt;
}

std::vector<shunt_source_key> SourceSet::Of(uint32_t service_id) const {
  std::vector<shunt_source_key> keys;
  for (auto key = keys_.lower_bound({.service_id = service_id});
       key != keys_.end() && key->service_id == service_id; ++key) {
    keys.push_back(*key);
  }
  return keys;
}

}  // namespace shunt
