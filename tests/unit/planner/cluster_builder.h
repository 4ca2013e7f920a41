// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_PLANNER_CLUSTER_BUILDER_H_
#define SHUNT_TESTS_UNIT_PLANNER_CLUSTER_BUILDER_H_

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "userspace/model/cluster.h"

namespace shunt {

// Short words for clusters in tests.

using Slices = std::vector<std::shared_ptr<const EndpointSlice>>;

inline IpAddress Ip(std::string_view text) { return IpAddress::Parse(text).value(); }

// "web" is shop/web.
inline NamespacedName InShop(std::string name) { return {"shop", std::move(name)}; }

// A Service shop/NAME with one unnamed port 80/TCP.
inline Service MakeService(std::string name, std::vector<std::string_view> cluster_ips) {
  Service service{.meta = {.name = InShop(std::move(name))}, .ports = {{.port = 80}}};
  for (const std::string_view address : cluster_ips) {
    service.cluster_ips.push_back(Ip(address));
  }
  return service;
}

inline Endpoint Ready(std::string_view address, std::string node = "") {
  return {.address = Ip(address), .node_name = std::move(node)};
}

inline Endpoint NotReady(std::string_view address, std::string node = "") {
  Endpoint endpoint = Ready(address, std::move(node));
  endpoint.ready = endpoint.serving = false;
  return endpoint;
}

// Terminating and still serving.
inline Endpoint Leaving(std::string_view address, std::string node = "") {
  Endpoint endpoint = Ready(address, std::move(node));
  endpoint.ready = false;
  endpoint.terminating = true;
  return endpoint;
}

// Terminating, and it serves no more.
inline Endpoint Gone(std::string_view address, std::string node = "") {
  Endpoint endpoint = Leaving(address, std::move(node));
  endpoint.serving = false;
  return endpoint;
}

inline Endpoint WithHints(Endpoint endpoint, EndpointHint::Kind kind,
                          const std::vector<std::string>& names) {
  for (const std::string& name : names) endpoint.hints.push_back({.kind = kind, .name = name});
  return endpoint;
}

inline Endpoint ForZones(Endpoint endpoint, const std::vector<std::string>& zones) {
  return WithHints(std::move(endpoint), EndpointHint::Kind::kZone, zones);
}

inline Endpoint ForNodes(Endpoint endpoint, const std::vector<std::string>& nodes) {
  return WithHints(std::move(endpoint), EndpointHint::Kind::kNode, nodes);
}

// A slice of the family of its first endpoint, with the unnamed port 8080/TCP.
inline std::shared_ptr<EndpointSlice> MakeSlice(std::string name, std::vector<Endpoint> endpoints) {
  EndpointSlice slice{.meta = {.name = InShop(std::move(name))},
                      .ports = {{.port = 8080}},
                      .endpoints = std::move(endpoints)};
  if (!slice.endpoints.empty()) {
    slice.family = slice.endpoints.front().address.family();
  }
  return std::make_shared<EndpointSlice>(std::move(slice));
}

inline ServiceInput Input(Service service, Slices slices = {}) {
  return {.service = std::make_shared<Service>(std::move(service)), .slices = std::move(slices)};
}

inline std::shared_ptr<const Node> NodeInZone(std::string zone) {
  return std::make_shared<Node>(Node{.meta = {.name = {"", "node-a"}}, .zone = std::move(zone)});
}

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_PLANNER_CLUSTER_BUILDER_H_
