// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/fields.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"

namespace shunt {
namespace {

constexpr size_t kLongestLabel = 63;       // RFC 1123
constexpr size_t kLongestSubdomain = 253;  // RFC 1123

// Why traffic cannot go there, or "".
std::string_view WhyNotServing(const IpAddress& address) {
  if (address.IsUnspecified()) return "the unspecified address";
  if (address.IsLoopback()) return "a loopback address";
  if (address.IsLinkLocal()) return "a link-local address";
  if (address.IsMulticast()) return "a multicast address";
  if (address.IsBroadcast()) return "the broadcast address";
  return "";
}

bool IsNameCharacter(char c) {
  return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
}

bool IsLabel(absl::string_view text) {
  return !text.empty() && text.size() <= kLongestLabel && text.front() != '-' &&
         text.back() != '-' && std::all_of(text.begin(), text.end(), IsNameCharacter);
}

bool IsSubdomain(absl::string_view text) {
  if (text.size() > kLongestSubdomain) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(text, '.');
  return std::all_of(labels.begin(), labels.end(), IsLabel);
}

}  // namespace

std::optional<IpAddress> ReadAddress(std::string_view text, const FieldPath& field,
                                     ProblemReporter& report) {
  absl::StatusOr<IpAddress> address = IpAddress::Parse(text);
  if (address.ok()) return *address;
  report.Add(field, std::string(address.status().message()));
  return std::nullopt;
}

std::optional<IpAddress> ReadServingAddress(std::string_view text, const FieldPath& field,
                                            ProblemReporter& report) {
  const std::optional<IpAddress> address = ReadAddress(text, field, report);
  if (!address) return std::nullopt;
  const std::string_view why = WhyNotServing(*address);
  if (why.empty()) return address;
  report.Add(field, absl::StrCat(address->ToString(), " is ", Absl(why),
                                 ", which no Service, endpoint or node may have"));
  return std::nullopt;
}

std::optional<Cidr> ReadCidr(std::string_view text, const FieldPath& field,
                             ProblemReporter& report) {
  absl::StatusOr<Cidr> cidr = Cidr::Parse(Std(absl::StripAsciiWhitespace(Absl(text))));
  if (cidr.ok()) return *cidr;
  report.Add(field, std::string(cidr.status().message()));
  return std::nullopt;
}

std::optional<uint16_t> ReadPort(int64_t value, const FieldPath& field, ProblemReporter& report) {
  if (value >= 1 && value <= std::numeric_limits<uint16_t>::max()) {
    return static_cast<uint16_t>(value);
  }
  report.Add(field, absl::StrCat(value, " is not a port (1 to 65535)"));
  return std::nullopt;
}

std::optional<shunt_protocol> ReadProtocol(std::string_view text, const FieldPath& field,
                                           ProblemReporter& report) {
  if (text.empty()) return SHUNT_TCP;
  for (const shunt_protocol protocol : {SHUNT_TCP, SHUNT_UDP, SHUNT_SCTP}) {
    if (text == ProtocolName(protocol)) return protocol;
  }
  report.Add(field, absl::StrCat(Quoted(text), " is not a protocol (TCP, UDP or SCTP)"));
  return std::nullopt;
}

std::optional<ServiceType> ReadServiceType(std::string_view text, const FieldPath& field,
                                           ProblemReporter& report) {
  if (text.empty() || text == "ClusterIP") return ServiceType::kClusterIp;
  if (text == "NodePort") return ServiceType::kNodePort;
  if (text == "LoadBalancer") return ServiceType::kLoadBalancer;
  if (text == "ExternalName") return ServiceType::kExternalName;
  report.Add(field, absl::StrCat(Quoted(text), " is not a type of Service (ClusterIP, NodePort, ",
                                 "LoadBalancer or ExternalName)"));
  return std::nullopt;
}

TrafficPolicy ReadTrafficPolicy(std::string_view text, const FieldPath& field,
                                ProblemReporter& report) {
  if (text == "Local") return TrafficPolicy::kLocal;
  if (!text.empty() && text != "Cluster") {
    report.Add(field, absl::StrCat(Quoted(text),
                                   " is not a traffic policy (Cluster or Local); Cluster is used"));
  }
  return TrafficPolicy::kCluster;
}

absl::Time ReadTime(std::string_view text, const FieldPath& field, ProblemReporter& report) {
  absl::Time time = absl::InfinitePast();
  std::string error;
  if (!text.empty() && !absl::ParseTime(absl::RFC3339_full, Absl(text), &time, &error)) {
    report.Add(field, absl::StrCat(Quoted(text), " is not a time like 2024-05-01T10:00:00Z"));
  }
  return time;
}

bool CheckName(std::string_view name, NameRule rule, const FieldPath& field,
               ProblemReporter& report) {
  const bool label = rule == NameRule::kLabel;
  if (label ? IsLabel(Absl(name)) : IsSubdomain(Absl(name))) return true;
  report.Add(field, absl::StrCat(Quoted(name), " is not a name: at most ",
                                 label ? kLongestLabel : kLongestSubdomain,
                                 " lower-case letters, digits and '-'", label ? "" : " and '.'",
                                 ", with a letter or digit at both ends"));
  return false;
}

void AddClusterIp(std::string_view text, const FieldPath& field, ProblemReporter& report,
                  std::vector<IpAddress>& cluster_ips) {
  if (text.empty() || text == "None") return;
  const std::optional<IpAddress> address = ReadServingAddress(text, field, report);
  if (!address) return;
  for (const IpAddress& other : cluster_ips) {
    if (other.family() != address->family()) continue;
    report.Add(field, absl::StrCat(address->ToString(), " is a second ",
                                   Absl(FamilyName(address->family())), " address; ",
                                   other.ToString(), " is used"));
    return;
  }
  cluster_ips.push_back(*address);
}

void SetSourceRanges(std::vector<Cidr> readable, size_t written, Service& service) {
  service.has_unreadable_sources = readable.size() < written;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const auto opens = [&](const Cidr& c) {
      return c.family() == family && c.prefix_length() == 0;
    };
    // What opens a family has to stay where a family without a range is closed.
    if (service.has_unreadable_sources || std::none_of(readable.begin(), readable.end(), opens)) {
      continue;
    }
    std::erase_if(readable, [&](const Cidr& c) { return c.family() == family; });
  }
  service.source_ranges = std::move(readable);
}

}  // namespace shunt
