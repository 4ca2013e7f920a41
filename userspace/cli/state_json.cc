// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/state_json.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

const char* IndexRuleText(shunt_index_rule rule) {
  switch (rule) {
    case SHUNT_INDEX_RANDOM:
      return "Random";
  }
  return "Unknown";
}

const char* KindText(shunt_frontend_kind kind) {
  switch (kind) {
    case SHUNT_CLUSTER_IP:
      return "ClusterIP";
    case SHUNT_OTHER_PORTS:
      return "OtherPorts";
    case SHUNT_LOAD_BALANCER_IP:
      return "LoadBalancer";
    case SHUNT_EXTERNAL_IP:
      return "ExternalIP";
    case SHUNT_NODE_PORT:
      return "NodePort";
  }
  return "Unknown";
}

bool IsServing(const ServicePortState& state, const Backend& backend) {
  return std::any_of(state.frontends.begin(), state.frontends.end(),
                     [&](const Frontend& frontend) { return frontend.Chooses(backend); });
}

Json ListsJson(const Backend& backend) {
  Json lists = Json::array();
  if (backend.in_cluster_list) lists.push_back("Cluster");
  if (backend.in_local_list) lists.push_back("Local");
  return lists;
}

// How many backends `frontend` may choose from.
size_t Choices(const ServicePortState& state, const Frontend& frontend) {
  return std::count_if(state.backends.begin(), state.backends.end(),
                       [&](const Backend& backend) { return frontend.Chooses(backend); });
}

}  // namespace

Json FrontendJson(const Frontend& frontend, size_t backends) {
  return {{"address", frontend.key.address.ToString()},
          {"port", frontend.key.port},
          {"protocol", ProtocolText(frontend.key.protocol)},
          {"kind", KindText(frontend.kind)},
          {"scope", frontend.key.scope == SHUNT_SCOPE_OUTSIDE ? "Outside" : "Node"},
          {"hostOnly", frontend.host_only},
          {"checksSource", frontend.checks_source},
          {"trafficPolicy", frontend.list == BackendList::kCluster ? "Cluster" : "Local"},
          {"indexRule", IndexRuleText(frontend.index_rule)},
          {"whenEmpty", std::string(VerdictName(frontend.when_empty))},
          {"backends", backends},
          {"seenAtSocket", IsSeenAtSocket(frontend.key)}};
}

Json ServicePortJson(const ServicePortName& name, const ServicePortState& state) {
  Json frontends = Json::array();
  for (const Frontend& frontend : state.frontends) {
    // Every ClusterIP refuses all other ports: that goes without saying.
    if (frontend.kind == SHUNT_OTHER_PORTS) continue;
    frontends.push_back(FrontendJson(frontend, Choices(state, frontend)));
  }
  Json sources = Json::array();
  for (const Cidr& range : state.sources) sources.push_back(range.ToString());
  Json backends = Json::array();
  for (const Backend& backend : state.backends) {
    backends.push_back({{"address", backend.address.ToString()},
                        {"port", backend.port},
                        {"state", IsServing(state, backend) ? "Serving" : "Draining"},
                        {"lists", ListsJson(backend)}});
  }
  return {{"namespace", name.name_space},
          {"name", name.name},
          {"port", name.port},
          {"protocol", ProtocolText(name.protocol)},
          {"affinityTimeoutSeconds", state.affinity_timeout_s},
          {"endsTcp", state.ends_tcp},
          {"sources", std::move(sources)},
          {"frontends", std::move(frontends)},
          {"backends", std::move(backends)}};
}

Json BackendJson(const ServicePortName& name, const ServicePortState& state,
                 const Backend& backend) {
  Json frontends = Json::array();
  for (const Frontend& frontend : state.frontends) {
    if (frontend.Chooses(backend)) frontends.push_back(frontend.key.ToString());
  }
  return {{"namespace", name.name_space},
          {"service", name.name},
          {"servicePort", name.port},
          {"protocol", ProtocolText(name.protocol)},
          {"address", backend.address.ToString()},
          {"port", backend.port},
          {"state", frontends.empty() ? "Draining" : "Serving"},
          {"lists", ListsJson(backend)},
          {"frontends", std::move(frontends)}};
}

std::string AddressAndPortText(const Json& object) {
  const std::string& address = object["address"].get_ref<const std::string&>();
  const bool brackets = address.find(':') != std::string::npos;
  return absl::StrCat(brackets ? "[" : "", address, brackets ? "]:" : ":",
                      object["port"].get<int>());
}

std::string FrontendText(const Json& frontend) {
  return absl::StrCat(AddressAndPortText(frontend), "/",
                      frontend["protocol"].get_ref<const std::string&>(),
                      frontend["scope"] == "Outside" ? " from outside" : "");
}

std::string UnseenText(const Json& frontend) {
  if (frontend["seenAtSocket"].get<bool>() || frontend["scope"] == "Outside") return "";
  return absl::StrCat(" (", frontend["protocol"].get_ref<const std::string&>(),
                      ": not seen at the socket)");
}

std::string JoinedTexts(const Json& array) {
  return absl::StrJoin(array, ",", [](std::string* text, const Json& element) {
    absl::StrAppend(text, element.get_ref<const std::string&>());
  });
}

size_t CountServing(const Json& backends) {
  return std::count_if(backends.begin(), backends.end(),
                       [](const Json& backend) { return backend["state"] == "Serving"; });
}

}  // namespace shunt
