// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/cluster_builder.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "tests/support/socket_address.h"
#include "userspace/base/status.h"
#include "userspace/model/fields.h"

namespace shunt::testing {
namespace {

// An address, a port, or both: "10.96.0.10", "http:80/TCP", "10.96.0.10:80/TCP".
struct Place {
  std::optional<IpAddress> address;
  std::optional<PortWord> port;
};

absl::StatusOr<Place> ParsePlace(const std::string& word) {
  if (absl::StatusOr<IpAddress> address = IpAddress::Parse(word); address.ok()) {
    return Place{.address = *address};
  }
  std::string rest = word;
  SHUNT_ASSIGN_OR_RETURN(shunt_protocol protocol, TakeProtocol(rest));
  if (absl::StatusOr<HostPort> both = HostPort::Parse(rest); both.ok()) {
    return Place{.address = both->address, .port = PortWord{"", both->port, protocol}};
  }
  Place place;
  SHUNT_ASSIGN_OR_RETURN(place.port, ParsePort(word));
  return place;
}

// "key=value"; the key is empty where there is no '='.
std::pair<std::string, std::string> ParseOption(const std::string& word) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos) return {"", word};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

absl::Status SetType(const std::string& type, Service& service) {
  static const auto* types =
      new std::map<std::string, ServiceType>{{"ClusterIP", ServiceType::kClusterIp},
                                             {"NodePort", ServiceType::kNodePort},
                                             {"LoadBalancer", ServiceType::kLoadBalancer},
                                             {"ExternalName", ServiceType::kExternalName}};
  const auto found = types->find(type);
  if (found == types->end()) {
    return absl::InvalidArgumentError(absl::StrCat(type, " is no type of a Service"));
  }
  service.type = found->second;
  return absl::OkStatus();
}

absl::Status SetAge(const std::string& seconds, Service& service) {
  int64_t age = 0;
  if (!absl::SimpleAtoi(seconds, &age)) {
    return absl::InvalidArgumentError(absl::StrCat("age=", seconds, " is no number of seconds"));
  }
  // A fixed now: a scenario says the same on every day.
  service.meta.created = absl::FromUnixSeconds(1'700'000'000 - age);
  return absl::OkStatus();
}

void AddPort(const PortWord& port, Service& service) {
  const ServicePort added = {.name = port.name, .protocol = port.protocol, .port = port.port};
  auto& ports = service.ports;
  if (std::find(ports.begin(), ports.end(), added) == ports.end()) ports.push_back(added);
}

absl::Status AddAddresses(const std::string& list, std::vector<IpAddress>& addresses) {
  for (const std::string& text : std::vector<std::string>(absl::StrSplit(list, ','))) {
    SHUNT_ASSIGN_OR_RETURN(IpAddress address, IpAddress::Parse(text));
    addresses.push_back(address);
  }
  return absl::OkStatus();
}

// "unreadable" stands for a range that is none.
absl::Status SetRanges(const std::string& list, Service& service) {
  const std::vector<std::string> texts = absl::StrSplit(list, ',');
  std::vector<Cidr> readable;
  for (const std::string& text : texts) {
    if (text == "unreadable") continue;
    SHUNT_ASSIGN_OR_RETURN(Cidr range, Cidr::Parse(text));
    readable.push_back(range);
  }
  SetSourceRanges(std::move(readable), texts.size(), service);
  return absl::OkStatus();
}

absl::Status SetPolicy(const std::string& text, TrafficPolicy& policy) {
  if (text != "Local" && text != "Cluster") {
    return absl::InvalidArgumentError(absl::StrCat(text, " is neither Local nor Cluster"));
  }
  policy = text == "Local" ? TrafficPolicy::kLocal : TrafficPolicy::kCluster;
  return absl::OkStatus();
}

absl::Status SetAffinity(const std::string& seconds, Service& service) {
  uint32_t timeout = 0;
  if (!absl::SimpleAtoi(seconds, &timeout)) {
    return absl::InvalidArgumentError(
        absl::StrCat("affinity=", seconds, " is no number of seconds"));
  }
  service.affinity_timeout_s = timeout;
  return absl::OkStatus();
}

// "30080" for the port before it, or "http:30080": the port has to be there.
absl::Status SetNodePort(const std::string& text, Service& service) {
  SHUNT_ASSIGN_OR_RETURN(PortWord node_port, ParsePort(text));
  for (auto port = service.ports.rbegin(); port != service.ports.rend(); ++port) {
    if (!node_port.name.empty() && port->name != node_port.name) continue;
    port->node_port = node_port.port;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("node-port=", text, " stands before its port"));
}

bool SetFlag(const std::string& word, Service& service) {
  if (word == "headless") return true;  // no address: that is all there is to it
  if (word == "excluded") return service.excluded = true;
  if (word == "ignored-by-label") return service.ignored_by_label = true;
  if (word == "ends-tcp") {
    service.on_backend_removal = BackendRemoval::kImmediate;
    return true;
  }
  return false;
}

absl::Status AddServiceWord(const std::string& word, Service& service) {
  const auto [key, value] = ParseOption(word);
  if (key == "type") return SetType(value, service);
  if (key == "age") return SetAge(value, service);
  if (key == "internal") return SetPolicy(value, service.internal_policy);
  if (key == "external") return SetPolicy(value, service.external_policy);
  if (key == "external-ips") return AddAddresses(value, service.external_ips);
  if (key == "lb-ips") return AddAddresses(value, service.load_balancer_ips);
  if (key == "sources") return SetRanges(value, service);
  if (key == "affinity") return SetAffinity(value, service);
  if (key == "node-port") return SetNodePort(value, service);
  if (SetFlag(word, service)) return absl::OkStatus();
  SHUNT_ASSIGN_OR_RETURN(Place place, ParsePlace(word));
  if (place.address.has_value()) service.cluster_ips.push_back(*place.address);
  if (place.port.has_value()) AddPort(*place.port, service);
  return absl::OkStatus();
}

// The conditions that the EndpointSlice controller writes.
bool SetConditions(const std::string& word, Endpoint& endpoint) {
  if (word == "ready") return true;
  if (word == "not-ready") {
    endpoint.ready = endpoint.serving = false;
    return true;
  }
  if (word == "terminating") {
    endpoint.ready = false;
    endpoint.terminating = true;
    return true;
  }
  if (word == "ready-though-terminating") return endpoint.terminating = true;
  if (word == "terminating-not-serving") {
    endpoint.ready = endpoint.serving = false;
    endpoint.terminating = true;
    return true;
  }
  return false;
}

// "zone-a,zone-b"
void AddHints(const std::string& list, EndpointHint::Kind kind, Endpoint& endpoint) {
  for (const std::string& name : std::vector<std::string>(absl::StrSplit(list, ','))) {
    endpoint.hints.push_back({.kind = kind, .name = name});
  }
}

}  // namespace

absl::Status ClusterBuilder::Add(const std::vector<std::string>& words) {
  if (words.size() >= 2 && words[0] == "service") return AddService(words);
  if (words.size() >= 3 && words[0] == "endpoint") return AddEndpoint(words);
  if (words.size() >= 2 && words[0] == "node") return AddNode(words);
  if (words.size() >= 3 && words[0] == "remove") return Remove(words);
  return absl::InvalidArgumentError(
      absl::StrCat("\"", words[0], "\" begins no complete service, endpoint, node or remove line"));
}

absl::Status ClusterBuilder::AddService(const std::vector<std::string>& words) {
  Service service;
  SHUNT_ASSIGN_OR_RETURN(service.meta.name, ParseName(words[1]));
  for (size_t i = 2; i < words.size(); ++i) {
    SHUNT_RETURN_IF_ERROR(AddServiceWord(words[i], service));
  }
  const NamespacedName name = service.meta.name;
  services_[name] = std::make_shared<const Service>(std::move(service));
  return absl::OkStatus();
}

absl::Status ClusterBuilder::AddEndpoint(const std::vector<std::string>& words) {
  EndpointLine line;
  SHUNT_ASSIGN_OR_RETURN(NamespacedName service, ParseName(words[1]));
  SHUNT_ASSIGN_OR_RETURN(Place first, ParsePlace(words[2]));
  if (!first.address.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(words[2], " does not begin with an address"));
  }
  line.endpoint.address = *first.address;
  if (first.port.has_value()) line.ports.push_back(*first.port);
  for (size_t i = 3; i < words.size(); ++i) {
    const auto [key, value] = ParseOption(words[i]);
    if (key == "node") {
      line.endpoint.node_name = value;
    } else if (key == "slice") {
      line.slice = value;
    } else if (key == "zone-hint") {
      AddHints(value, EndpointHint::Kind::kZone, line.endpoint);
    } else if (key == "node-hint") {
      AddHints(value, EndpointHint::Kind::kNode, line.endpoint);
    } else if (!SetConditions(words[i], line.endpoint)) {
      SHUNT_ASSIGN_OR_RETURN(PortWord port, ParsePort(words[i]));
      line.ports.push_back(port);
    }
  }
  std::vector<EndpointLine>& lines = endpoints_[service];
  std::erase_if(lines, [&](const EndpointLine& old) {
    return old.endpoint.address == line.endpoint.address && old.slice == line.slice &&
           old.ports == line.ports;
  });
  lines.push_back(std::move(line));
  return absl::OkStatus();
}

absl::Status ClusterBuilder::AddNode(const std::vector<std::string>& words) {
  Node node;
  node_port_addresses_.clear();
  for (size_t i = 1; i < words.size(); ++i) {
    const auto [key, value] = ParseOption(words[i]);
    if (key == "self") {
      node.meta.name.name = node_name_ = value;
    } else if (key == "zone") {
      node.zone = value;
    } else if (key == "addresses") {
      SHUNT_RETURN_IF_ERROR(AddAddresses(value, node.addresses));
    } else if (key == "node-ports-at") {
      SHUNT_RETURN_IF_ERROR(AddAddresses(value, node_port_addresses_));
    } else {
      return absl::InvalidArgumentError(absl::StrCat(words[i], " is unknown in a node line"));
    }
  }
  node_ = std::make_shared<const Node>(std::move(node));
  return absl::OkStatus();
}

absl::Status ClusterBuilder::Remove(const std::vector<std::string>& words) {
  SHUNT_ASSIGN_OR_RETURN(NamespacedName name, ParseName(words[2]));
  if (words[1] == "service" && words.size() == 3) {
    if (services_.erase(name) == 1) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat("there is no Service ", name.ToString()));
  }
  if (words[1] != "endpoint" || words.size() != 4) {
    return absl::InvalidArgumentError("remove what? service NAME, or endpoint NAME ADDRESS");
  }
  SHUNT_ASSIGN_OR_RETURN(IpAddress address, IpAddress::Parse(words[3]));
  const size_t removed = std::erase_if(
      endpoints_[name], [&](const EndpointLine& l) { return l.endpoint.address == address; });
  if (removed > 0) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(name.ToString(), " has no endpoint ", words[3]));
}

// Endpoints with the same ports and family share a slice, as the EndpointSlice
// controller makes them.
std::vector<std::shared_ptr<const EndpointSlice>> ClusterBuilder::SlicesOf(
    const NamespacedName& service) const {
  const auto lines = endpoints_.find(service);
  if (lines == endpoints_.end()) return {};
  std::map<std::tuple<std::string, Family, std::vector<PortWord>>, EndpointSlice> slices;
  for (const EndpointLine& line : lines->second) {
    const Family family = line.endpoint.address.family();
    auto [slice, is_new] = slices.try_emplace({line.slice, family, line.ports});
    slice->second.endpoints.push_back(line.endpoint);
    if (!is_new) continue;
    slice->second.service = service;
    slice->second.family = family;
    for (const PortWord& port : line.ports) {
      slice->second.ports.push_back(
          {.name = port.name, .protocol = port.protocol, .port = port.port});
    }
  }
  std::vector<std::shared_ptr<const EndpointSlice>> result;
  for (auto& [key, slice] : slices) {
    slice.meta.name = {service.name_space, absl::StrCat(service.name, "-", result.size())};
    result.push_back(std::make_shared<const EndpointSlice>(std::move(slice)));
  }
  return result;
}

ClusterSnapshot ClusterBuilder::Build() const {
  ClusterSnapshot cluster = {.services = {}, .node_changed = true, .node = node_};
  for (const auto& [name, service] : services_) {
    cluster.services[name] = {.service = service, .slices = SlicesOf(name)};
  }
  return cluster;
}

}  // namespace shunt::testing
