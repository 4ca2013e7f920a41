// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/node_port_addresses.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

bool Admits(const NodePortAddressRule& rule, const IpAddress& address) {
  bool has_range = false;
  for (const Cidr& range : rule.ranges) {
    if (range.Contains(address)) return true;
    has_range |= range.family() == address.family();
  }
  return !has_range;
}

const std::vector<IpAddress>& Loopback() {
  static const auto* addresses =
      new std::vector<IpAddress>{*IpAddress::Parse("127.0.0.1"), *IpAddress::Parse("::1")};
  return *addresses;
}

}  // namespace

absl::StatusOr<NodePortAddressRule> ParseNodePortAddresses(const std::vector<std::string>& words) {
  NodePortAddressRule rule;
  if (words.size() == 1 && words[0] == "primary") {
    rule.primary = true;
    return rule;
  }
  for (const std::string& word : words) {
    if (word == "primary") {
      return absl::InvalidArgumentError("primary stands alone, without ranges");
    }
    const absl::StatusOr<Cidr> range = Cidr::Parse(word);
    if (!range.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          Quoted(word), " is neither a range of addresses like 10.0.0.0/8 nor primary"));
    }
    rule.ranges.push_back(*range);
  }
  return rule;
}

std::vector<IpAddress> NodePortAddresses(const NodePortAddressRule& rule,
                                         const std::vector<IpAddress>& host, const Node* node) {
  if (rule.primary) return node == nullptr ? std::vector<IpAddress>() : node->addresses;
  std::vector<IpAddress> candidates = host;
  if (rule.localhost) {
    candidates.insert(candidates.end(), Loopback().begin(), Loopback().end());
  }
  std::erase_if(candidates, [&](const IpAddress& address) { return !Admits(rule, address); });
  return candidates;
}

}  // namespace shunt
