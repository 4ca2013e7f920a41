// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/model/fields.h"
#include "userspace/sources/manifests/decoders.h"

namespace shunt {
namespace {

// The API server's default and bounds of sessionAffinityConfig.
constexpr uint32_t kDefaultAffinityTimeout = 10800;
constexpr int64_t kLongestAffinityTimeout = 86400;

// A port number that may be left out; 0 then, and where it cannot be used.
uint16_t DecodeOptionalPort(const Value& port) {
  const int64_t number = port.Integer().value_or(0);
  if (number == 0) return 0;
  return ReadPort(number, port.path(), port.report()).value_or(0);
}

std::optional<ServicePort> DecodePort(const Value& element) {
  const UnitScope unit(element.report());
  if (!element.ExpectMap()) return std::nullopt;
  element.ReportMisspelled({"appProtocol", "name", "nodePort", "port", "protocol", "targetPort"});
  const Value protocol_value = element.Get("protocol");
  const Value number_value = element.Get("port");
  const std::optional<int64_t> number = number_value.Integer();
  if (number_value.absent()) number_value.report().Reject(number_value.path(), "is missing");
  const auto protocol =
      ReadProtocol(protocol_value.Text(), protocol_value.path(), protocol_value.report());
  const auto port =
      number ? ReadPort(*number, number_value.path(), number_value.report()) : std::nullopt;
  ServicePort result{.name = std::string(element.Get("name").Text()),
                     .protocol = protocol.value_or(SHUNT_TCP),
                     .port = port.value_or(0),
                     .node_port = DecodeOptionalPort(element.Get("nodePort"))};
  if (unit.rejected() || !protocol || !port) return std::nullopt;
  return result;
}

// Names and numbers are unique in a Service, each with its protocol; of two the
// first one counts.
class UniquePorts {
 public:
  bool Add(const ServicePort& port, const Value& element) {
    const std::string protocol(ProtocolName(port.protocol));
    if (!names_.insert(absl::StrCat(port.name, "/", protocol)).second) {
      element.report().Add(element.path(),
                           absl::StrCat("a second ", protocol, " port named ", Quoted(port.name)));
      return false;
    }
    if (!numbers_.insert(absl::StrCat(port.port, "/", protocol)).second) {
      element.report().Add(element.path(),
                           absl::StrCat("port ", port.port, "/", protocol, " for a second time"));
      return false;
    }
    return true;
  }

 private:
  absl::flat_hash_set<std::string> names_;
  absl::flat_hash_set<std::string> numbers_;
};

std::vector<ServicePort> DecodePorts(const Value& list) {
  std::vector<ServicePort> ports;
  UniquePorts unique;
  for (size_t i = 0; i < list.size(); ++i) {
    const Value element = list.At(i);
    std::optional<ServicePort> port = DecodePort(element);
    if (port && unique.Add(*port, element)) ports.push_back(*std::move(port));
  }
  return ports;
}

std::vector<IpAddress> DecodeClusterIps(const Value& spec) {
  std::vector<IpAddress> addresses;
  const Value list = spec.List("clusterIPs");
  for (size_t i = 0; i < list.size(); ++i) {
    const Value element = list.At(i);
    const UnitScope unit(element.report());
    AddClusterIp(element.Text(), element.path(), element.report(), addresses);
  }
  if (list.size() > 0) return addresses;
  const Value single = spec.Get("clusterIP");
  const UnitScope unit(single.report());
  AddClusterIp(single.Text(), single.path(), single.report(), addresses);
  return addresses;
}

void AddServingAddress(const Value& value, std::vector<IpAddress>& into) {
  const UnitScope unit(value.report());
  const std::string_view text = value.Text();
  if (unit.rejected()) return;
  if (auto address = ReadServingAddress(text, value.path(), value.report())) {
    into.push_back(*address);
  }
}

std::vector<IpAddress> DecodeExternalIps(const Value& list) {
  std::vector<IpAddress> addresses;
  for (size_t i = 0; i < list.size(); ++i) AddServingAddress(list.At(i), addresses);
  return addresses;
}

// Only an ingress that the node itself has to translate: with an address, and
// not one of a proxy that comes in by node port.
std::vector<IpAddress> DecodeIngress(const Value& list) {
  std::vector<IpAddress> addresses;
  for (size_t i = 0; i < list.size(); ++i) {
    const Value ingress = list.At(i);
    const UnitScope unit(ingress.report());
    if (!ingress.ExpectMap()) continue;
    const Value mode = ingress.Get("ipMode");
    const Value ip = ingress.Get("ip");
    const bool is_virtual = mode.absent() || mode.Text() == "VIP";
    if (is_virtual && !ip.Text().empty()) AddServingAddress(ip, addresses);
  }
  return addresses;
}

void DecodeSourceRanges(const Value& list, Service& service) {
  std::vector<Cidr> ranges;
  for (size_t i = 0; i < list.size(); ++i) {
    const Value element = list.At(i);
    const UnitScope unit(element.report());
    const std::string_view text = element.Text();
    if (unit.rejected()) continue;
    if (auto range = ReadCidr(text, element.path(), element.report())) ranges.push_back(*range);
  }
  SetSourceRanges(std::move(ranges), list.size(), service);
}

uint32_t DecodeAffinityTimeout(const Value& spec) {
  const Value config = spec.Map("sessionAffinityConfig");
  const Value client_ip = config.Map("clientIP");
  const Value timeout = client_ip.Get("timeoutSeconds");
  const int64_t seconds = timeout.Integer().value_or(kDefaultAffinityTimeout);
  if (seconds >= 1 && seconds <= kLongestAffinityTimeout) return static_cast<uint32_t>(seconds);
  timeout.report().Add(timeout.path(),
                       absl::StrCat(seconds, " is not a timeout (1 to ", kLongestAffinityTimeout,
                                    " seconds); ", kDefaultAffinityTimeout, " is used"));
  return kDefaultAffinityTimeout;
}

std::optional<uint32_t> DecodeAffinity(const Value& spec) {
  const Value affinity = spec.Get("sessionAffinity");
  const std::string_view text = affinity.Text();
  if (text == "ClientIP") return DecodeAffinityTimeout(spec);
  if (!text.empty() && text != "None") {
    affinity.report().Add(affinity.path(),
                          absl::StrCat(Quoted(text), " is not a session affinity (None or ",
                                       "ClientIP); None is used"));
  }
  return std::nullopt;
}

TrafficPolicy DecodePolicy(const Value& value) {
  return ReadTrafficPolicy(value.Text(), value.path(), value.report());
}

void DecodeSpec(const Value& spec, Service& service) {
  spec.ReportMisspelled({"allocateLoadBalancerNodePorts",
                         "clusterIP",
                         "clusterIPs",
                         "externalIPs",
                         "externalName",
                         "externalTrafficPolicy",
                         "healthCheckNodePort",
                         "internalTrafficPolicy",
                         "ipFamilies",
                         "ipFamily",
                         "ipFamilyPolicy",
                         "loadBalancerClass",
                         "loadBalancerIP",
                         "loadBalancerSourceRanges",
                         "ports",
                         "publishNotReadyAddresses",
                         "selector",
                         "sessionAffinity",
                         "sessionAffinityConfig",
                         "topologyKeys",
                         "trafficDistribution",
                         "type"});
  const Value type = spec.Get("type");
  service.type =
      ReadServiceType(type.Text(), type.path(), type.report()).value_or(ServiceType::kClusterIp);
  // An address that a Service had before it became an ExternalName is stale.
  if (service.type != ServiceType::kExternalName) service.cluster_ips = DecodeClusterIps(spec);
  service.external_ips = DecodeExternalIps(spec.List("externalIPs"));
  DecodeSourceRanges(spec.List("loadBalancerSourceRanges"), service);
  service.internal_policy = DecodePolicy(spec.Get("internalTrafficPolicy"));
  service.external_policy = DecodePolicy(spec.Get("externalTrafficPolicy"));
  service.affinity_timeout_s = DecodeAffinity(spec);
  service.health_check_node_port = DecodeOptionalPort(spec.Get("healthCheckNodePort"));
  service.ports = DecodePorts(spec.List("ports"));
}

void DecodeAnnotations(const Value& annotations, Service& service) {
  service.excluded = annotations.Get("service.shunt/exclude").Text() == "true";
  const Value removal = annotations.Get("service.shunt/on-backend-removal");
  const std::string_view text = removal.Text();
  if (text == "immediate") {
    service.on_backend_removal = BackendRemoval::kImmediate;
  } else if (!text.empty() && text != "drain") {
    removal.report().Add(removal.path(), absl::StrCat(Quoted(text), " is not drain or immediate; ",
                                                      "drain is used"));
  }
}

}  // namespace

Service DecodeService(const Value& object, ObjectMeta meta) {
  object.ReportMisspelled({"apiVersion", "kind", "metadata", "spec", "status"});
  Service service{.meta = std::move(meta)};
  const Value metadata = object.Map("metadata");
  const Value labels = metadata.Map("labels");
  service.ignored_by_label = labels.Has("service.kubernetes.io/service-proxy-name") ||
                             labels.Has("service.kubernetes.io/headless");
  DecodeAnnotations(metadata.Map("annotations"), service);

  const Value spec = object.Map("spec");
  if (spec.absent()) spec.report().Reject(spec.path(), "is missing");
  DecodeSpec(spec, service);

  const Value status = object.Map("status");
  const Value load_balancer = status.Map("loadBalancer");
  service.load_balancer_ips = DecodeIngress(load_balancer.List("ingress"));
  return service;
}

}  // namespace shunt
