// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_MODEL_FIELDS_H_
#define SHUNT_MODEL_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "userspace/base/ip_address.h"
#include "userspace/model/problem_reporter.h"
#include "userspace/model/service.h"

namespace shunt {

// What values of Kubernetes objects mean, the same for every source: each
// function takes the value, where it stands and who wants to know what is wrong
// with it. nullopt: it cannot be used, and that was reported.

// An address that traffic may be sent to or dialled at: not unspecified,
// loopback, link-local, multicast or broadcast. An endpoint at 127.0.0.1 or
// 169.254.169.254 would open the node to whoever may write a slice
// (CVE-2021-25737); a Service at 0.0.0.0 would catch everybody's traffic.
std::optional<IpAddress> ReadServingAddress(std::string_view text, const FieldPath& field,
                                            ProblemReporter& report);
// Any address.
std::optional<IpAddress> ReadAddress(std::string_view text, const FieldPath& field,
                                     ProblemReporter& report);
// Blanks around it are allowed, as in the API.
std::optional<Cidr> ReadCidr(std::string_view text, const FieldPath& field,
                             ProblemReporter& report);
// 1 to 65535.
std::optional<uint16_t> ReadPort(int64_t value, const FieldPath& field, ProblemReporter& report);
// "" means TCP.
std::optional<shunt_protocol> ReadProtocol(std::string_view text, const FieldPath& field,
                                           ProblemReporter& report);
// "" means ClusterIP.
std::optional<ServiceType> ReadServiceType(std::string_view text, const FieldPath& field,
                                           ProblemReporter& report);
// "" means Cluster, and so does, with a problem, what nobody knows.
TrafficPolicy ReadTrafficPolicy(std::string_view text, const FieldPath& field,
                                ProblemReporter& report);
// RFC 3339; InfinitePast for "" and, with a problem, for what is no time.
absl::Time ReadTime(std::string_view text, const FieldPath& field, ProblemReporter& report);

// Names as Kubernetes allows them: lower-case letters, digits and '-'; a
// subdomain also has dots.
enum class NameRule : uint8_t { kLabel, kSubdomain };
bool CheckName(std::string_view name, NameRule rule, const FieldPath& field,
               ProblemReporter& report);

// Appends an element of spec.clusterIPs (or spec.clusterIP). "None" and "" are
// no address; a Service has at most one of each family.
void AddClusterIp(std::string_view text, const FieldPath& field, ProblemReporter& report,
                  std::vector<IpAddress>& cluster_ips);

// What spec.loadBalancerSourceRanges as a whole says: a range that holds every
// address opens its family; if one of the `written` ones was not readable, a
// family without any is closed.
void SetSourceRanges(std::vector<Cidr> readable, size_t written, Service& service);

}  // namespace shunt

#endif  // SHUNT_MODEL_FIELDS_H_
