// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/plan_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "shunt/limits.h"
#include "userspace/base/absl_view.h"
#include "userspace/planner/frontends.h"

namespace shunt {
namespace {

// Plans one Service; made for one call.
class ServicePlanner {
 public:
  ServicePlanner(const ServiceInput& input, const NodeContext& node)
      : service_(*input.service), slices_(input.slices), node_(node) {}

  ServicePlan Plan() && {
    if (NameFits()) {
      wanted_.resize(service_.ports.size());
      for (size_t i = 0; i < service_.ports.size(); ++i) Want(i);
      for (size_t i = 0; i < service_.ports.size(); ++i) PlanPort(i);
    }
    return std::move(plan_);
  }

 private:
  // The maps hold names of limited length, and a cut name could be another's.
  bool NameFits() {
    const NamespacedName& name = service_.meta.name;
    if (name.name_space.size() > SHUNT_MAX_NAMESPACE) {
      Report("metadata.namespace", TooLong(SHUNT_MAX_NAMESPACE));
      return false;
    }
    if (name.name.size() > SHUNT_MAX_SERVICE_NAME) {
      Report("metadata.name", TooLong(SHUNT_MAX_SERVICE_NAME));
      return false;
    }
    return true;
  }

  // What a port wants that can be planned. Of two that want one address and
  // port the better kind has it, as of two Services; then the first port.
  void Want(size_t index) {
    const ServicePort& port = service_.ports[index];
    if (port.name.size() > SHUNT_MAX_PORT_NAME) {
      return Report(FieldOfPort(index) + ".name", TooLong(SHUNT_MAX_PORT_NAME));
    }
    if (!names_.insert(NameOf(port)).second) {
      return Report(FieldOfPort(index) + ".name",
                    absl::StrCat("\"", port.name, "\" is already the name of another port"));
    }
    wanted_[index] = FrontendsOf(service_, port, node_);
    for (const Frontend& frontend : wanted_[index]) {
      const Right right = {frontend.kind, index};
      const auto [owner, is_new] = owners_.try_emplace(ClaimKeyOf(frontend.key), right);
      if (!is_new) owner->second = std::min(owner->second, right);
    }
  }

  ServicePortName NameOf(const ServicePort& port) const {
    const NamespacedName& name = service_.meta.name;
    return {name.name_space, name.name, port.name, port.protocol};
  }

  void PlanPort(size_t index) {
    std::vector<Frontend> frontends = OwnFrontendsOf(index);
    if (frontends.empty()) return;
    if (plan_.ports.empty()) {  // somebody has to have them
      for (const Frontend& frontend : OtherPortsOf(service_)) {
        frontends.push_back(frontend);
      }
    }
    plan_.ports.emplace(NameOf(service_.ports[index]), MakeState(index, std::move(frontends)));
  }

  ServicePortStatePtr MakeState(size_t index, std::vector<Frontend> frontends) {
    const bool checks_source = std::any_of(frontends.begin(), frontends.end(),
                                           [](const Frontend& f) { return f.checks_source; });
    std::sort(frontends.begin(), frontends.end());
    ServicePortState state{.frontends = std::move(frontends),
                           .affinity_timeout_s = service_.affinity_timeout_s.value_or(0),
                           .ends_tcp = EndsTcp(service_.ports[index])};
    if (checks_source) {
      state.sources = SourcesOf(service_, node_);
    }
    AddBackends(index, state);
    EmptyUnusedLists(state);
    return std::make_shared<ServicePortState>(std::move(state));
  }

  bool EndsTcp(const ServicePort& port) const {
    return port.protocol == SHUNT_TCP && service_.on_backend_removal == BackendRemoval::kImmediate;
  }

  std::vector<Frontend> OwnFrontendsOf(size_t index) {
    std::vector<Frontend> frontends = std::move(wanted_[index]);
    std::erase_if(frontends, [&](const Frontend& frontend) {
      const bool lost = owners_.at(ClaimKeyOf(frontend.key)) != Right{frontend.kind, index};
      if (lost && frontend.key.scope == SHUNT_SCOPE_NODE) {
        Report(FieldOfPort(index),
               absl::StrCat(frontend.key.ToString(), " is already a frontend of this Service"));
      }
      return lost;
    });
    return frontends;
  }

  void AddBackends(size_t index, ServicePortState& state) {
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      const bool wanted = std::any_of(
          state.frontends.begin(), state.frontends.end(),
          [&](const Frontend& frontend) { return frontend.key.address.family() == family; });
      if (wanted) {
        AddBackendsOf(family, index, state);
      }
    }
    std::sort(state.backends.begin(), state.backends.end());
  }

  void AddBackendsOf(Family family, size_t index, ServicePortState& state) {
    const ServicePort& port = service_.ports[index];
    const EndpointSelection selection =
        SelectEndpoints(slices_, {.name = port.name, .protocol = port.protocol, .family = family},
                        ListsUsedBy(service_, port), node_);
    if (selection.any_usable) {
      DropWhereOthersHaveEndpoints(family, state.frontends);
    }
    state.backends.reserve(state.backends.size() + selection.candidates.size());
    size_t in_cluster = 0, in_local = 0;
    for (const Candidate& candidate : selection.candidates) {
      if (!MayServe(candidate, state.ends_tcp)) {
        continue;
      }
      state.backends.push_back(
          {.address = candidate.endpoint->address,
           .port = candidate.port,
           .on_this_node = candidate.is_local,
           .in_cluster_list = IsSelected(candidate.cluster) && Fits(in_cluster),
           .in_local_list = IsSelected(candidate.local) && Fits(in_local)});
    }
    ReportCut(index, family, std::max(in_cluster, in_local));
  }

  // A list of this node's endpoints that is empty while other nodes have some is
  // no reason to refuse: the client may try another node.
  static void DropWhereOthersHaveEndpoints(Family family, std::vector<Frontend>& frontends) {
    for (Frontend& frontend : frontends) {
      if (frontend.list == BackendList::kLocal && frontend.key.address.family() == family) {
        frontend.when_empty = SHUNT_NO_LOCAL_ENDPOINT;
      }
    }
  }

  // Whether what the endpoint has may go on: connections that end with it do so
  // when it leaves its slice, whatever it says of itself until then.
  static bool MayServe(const Candidate& candidate, bool until_removed) {
    return candidate.TakesNewConnections() ||
           (candidate.IsDistinct() && (candidate.endpoint->serving || until_removed));
  }

  // Counts one more for a list, and tells whether it still has a place there.
  static bool Fits(size_t& count) { return ++count <= SHUNT_MAX_SLOTS_PER_LIST; }

  void ReportCut(size_t index, Family family, size_t count) {
    if (count > SHUNT_MAX_SLOTS_PER_LIST) {
      Report(
          FieldOfPort(index),
          absl::StrCat(count, " ", Absl(FamilyName(family)),
                       " endpoints are more than the maps hold; new connections go to the first ",
                       SHUNT_MAX_SLOTS_PER_LIST));
    }
  }

  static std::string FieldOfPort(size_t index) { return absl::StrCat("spec.ports[", index, "]"); }

  static std::string TooLong(size_t limit) {
    return absl::StrCat("is longer than ", limit, " characters");
  }

  void Report(std::string field, std::string message) {
    plan_.problems.push_back({.object = absl::StrCat("Service ", service_.meta.name.ToString()),
                              .field = std::move(field),
                              .message = std::move(message)});
  }

  const Service& service_;
  const std::vector<std::shared_ptr<const EndpointSlice>>& slices_;
  const NodeContext& node_;
  ServicePlan plan_;
  absl::flat_hash_set<ServicePortName> names_;
  std::vector<std::vector<Frontend>> wanted_;            // by port
  using Right = std::pair<shunt_frontend_kind, size_t>;  // and the index of the port: least first
  absl::flat_hash_map<FrontendKey, Right> owners_;
};

}  // namespace

std::string_view WhyNotProxied(const Service& service) {
  if (service.type == ServiceType::kExternalName) {
    return "its type is ExternalName: that is a matter of DNS";
  }
  if (service.cluster_ips.empty()) {
    return "it has no ClusterIP: headless, or none is allocated yet";
  }
  if (service.ignored_by_label) {
    return "a label (service-proxy-name or headless) says that another proxy serves it";
  }
  return service.excluded ? "the annotation service.shunt/exclude is set" : "";
}

ServicePlan PlanService(const ServiceInput& input, const NodeContext& node) {
  if (input.service == nullptr || !WhyNotProxied(*input.service).empty()) {
    return {};
  }
  return ServicePlanner(input, node).Plan();
}

}  // namespace shunt
