// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/model/fields.h"
#include "userspace/sources/manifests/decoders.h"

namespace shunt {
namespace {

constexpr std::string_view kServiceName = "kubernetes.io/service-name";
constexpr std::string_view kTriggerTime = "endpoints.kubernetes.io/last-change-trigger-time";

std::optional<EndpointPort> DecodePort(const Value& element) {
  const UnitScope unit(element.report());
  if (!element.ExpectMap()) return std::nullopt;
  element.ReportMisspelled({"appProtocol", "name", "port", "protocol"});
  const Value protocol_value = element.Get("protocol");
  const Value number_value = element.Get("port");
  const std::optional<int64_t> number = number_value.Integer();
  if (number_value.absent()) {
    number_value.report().Reject(number_value.path(),
                                 "is missing, and \"all ports\" is not served");
  }
  const auto protocol =
      ReadProtocol(protocol_value.Text(), protocol_value.path(), protocol_value.report());
  const auto port =
      number ? ReadPort(*number, number_value.path(), number_value.report()) : std::nullopt;
  EndpointPort result{.name = std::string(element.Get("name").Text()),
                      .protocol = protocol.value_or(SHUNT_TCP),
                      .port = port.value_or(0)};
  if (unit.rejected() || !protocol || !port) return std::nullopt;
  return result;
}

// Only the first one counts: the others are the same pod's (KEP-0752).
std::optional<IpAddress> DecodeAddress(const Value& addresses, Family family) {
  if (addresses.report().rejected()) return std::nullopt;
  if (addresses.size() == 0) {
    addresses.report().Reject(addresses.path(), "an endpoint needs an address");
    return std::nullopt;
  }
  const Value first = addresses.At(0);
  const std::string_view text = first.Text();
  if (first.report().rejected()) return std::nullopt;
  const auto address = ReadServingAddress(text, first.path(), first.report());
  if (!address || address->family() == family) return address;
  first.report().Add(first.path(),
                     absl::StrCat(address->ToString(), " is not an ", Absl(FamilyName(family)),
                                  " address, as addressType says"));
  return std::nullopt;
}

void DecodeConditions(const Value& conditions, Endpoint& endpoint) {
  conditions.ReportMisspelled({"ready", "serving", "terminating"});
  endpoint.ready = conditions.Get("ready").Bool().value_or(true);
  endpoint.serving = conditions.Get("serving").Bool().value_or(true);
  endpoint.terminating = conditions.Get("terminating").Bool().value_or(false);
}

void DecodeHints(const Value& list, EndpointHint::Kind kind, std::vector<EndpointHint>& hints) {
  for (size_t i = 0; i < list.size(); ++i) {
    const Value hint = list.At(i);
    if (hint.ExpectMap()) {
      hints.push_back({.kind = kind, .name = std::string(hint.Get("name").Text())});
    }
  }
}

std::optional<Endpoint> DecodeEndpoint(const Value& element, Family family) {
  const UnitScope unit(element.report());
  if (!element.ExpectMap()) return std::nullopt;
  element.ReportMisspelled({"addresses", "conditions", "deprecatedTopology", "hints", "hostname",
                            "nodeName", "targetRef", "zone"});
  const std::optional<IpAddress> address = DecodeAddress(element.List("addresses"), family);
  Endpoint endpoint{.address = address.value_or(IpAddress()),
                    .node_name = std::string(element.Get("nodeName").Text())};
  DecodeConditions(element.Map("conditions"), endpoint);
  const Value hints = element.Map("hints");
  DecodeHints(hints.List("forZones"), EndpointHint::Kind::kZone, endpoint.hints);
  DecodeHints(hints.List("forNodes"), EndpointHint::Kind::kNode, endpoint.hints);
  if (unit.rejected() || !address) return std::nullopt;
  return endpoint;
}

std::vector<EndpointPort> DecodePorts(const Value& list) {
  std::vector<EndpointPort> ports;
  for (size_t i = 0; i < list.size(); ++i) {
    if (auto port = DecodePort(list.At(i))) ports.push_back(*std::move(port));
  }
  return ports;
}

std::vector<Endpoint> DecodeEndpoints(const Value& list, Family family) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    if (auto endpoint = DecodeEndpoint(list.At(i), family)) {
      endpoints.push_back(*std::move(endpoint));
    }
  }
  return endpoints;
}

// nullopt: FQDN, which no proxy serves; or nothing that anybody knows.
std::optional<Family> DecodeAddressType(const Value& type) {
  const std::string_view text = type.Text();
  if (text == "IPv4") return Family::kIpv4;
  if (text == "IPv6") return Family::kIpv6;
  if (text != "FQDN" && !type.report().rejected()) {
    type.report().Reject(type.path(),
                         type.absent() ? "is missing (IPv4, IPv6 or FQDN)"
                                       : absl::StrCat(Quoted(text), " is not IPv4, IPv6 or FQDN"));
  }
  return std::nullopt;
}

// Whose slice it is; "" for nobody's.
std::string DecodeServiceName(const Value& labels) {
  const Value name = labels.Get(kServiceName);
  std::string text(name.Text());
  if (text.empty() && !name.report().rejected()) {
    name.report().Add(name.path(), "is missing: without it the slice belongs to no Service");
  }
  return text;
}

}  // namespace

std::optional<EndpointSlice> DecodeEndpointSlice(const Value& object, ObjectMeta meta) {
  object.ReportMisspelled({"addressType", "apiVersion", "endpoints", "kind", "metadata", "ports"});
  const std::optional<Family> family = DecodeAddressType(object.Get("addressType"));
  const Value metadata = object.Map("metadata");
  const Value labels = metadata.Map("labels");
  if (!family || labels.Has("service.kubernetes.io/headless")) return std::nullopt;
  const std::string service = DecodeServiceName(labels);
  if (service.empty()) return std::nullopt;

  EndpointSlice slice{.meta = std::move(meta), .family = *family};
  slice.service = {.name_space = slice.meta.name.name_space, .name = service};
  slice.ports = DecodePorts(object.List("ports"));
  slice.endpoints = DecodeEndpoints(object.List("endpoints"), *family);
  const Value annotations = metadata.Map("annotations");
  const Value trigger = annotations.Get(kTriggerTime);
  slice.trigger_time = ReadTime(trigger.Text(), trigger.path(), trigger.report());
  return slice;
}

}  // namespace shunt
