// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/plan_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "shunt/limits.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

bool IsProxied(const Service& service) {
  return service.type != ServiceType::kExternalName && !service.cluster_ips.empty() &&
         !service.ignored_by_label && !service.excluded;
}

// Plans one Service; made for one call.
class ServicePlanner {
 public:
  ServicePlanner(const ServiceInput& input, const NodeContext& node)
      : service_(*input.service), slices_(input.slices), node_(node) {}

  ServicePlan Plan() && {
    if (NameFits()) {
      for (size_t i = 0; i < service_.ports.size(); ++i) {
        PlanPort(i);
      }
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

  void PlanPort(size_t index) {
    const ServicePort& port = service_.ports[index];
    if (port.name.size() > SHUNT_MAX_PORT_NAME) {
      return Report(FieldOfPort(index) + ".name", TooLong(SHUNT_MAX_PORT_NAME));
    }
    const NamespacedName& name = service_.meta.name;
    ServicePortName port_name{name.name_space, name.name, port.name, port.protocol};
    if (plan_.ports.contains(port_name)) {
      return Report(FieldOfPort(index) + ".name",
                    absl::StrCat("\"", port.name, "\" is already the name of another port"));
    }
    ServicePortState state{.frontends = FrontendsOf(index)};
    if (!state.frontends.empty()) {
      state.backends = BackendsOf(index, state.frontends);
      plan_.ports.emplace(std::move(port_name),
                          std::make_shared<ServicePortState>(std::move(state)));
    }
  }

  std::vector<Frontend> FrontendsOf(size_t index) {
    const ServicePort& port = service_.ports[index];
    const BackendList list = service_.internal_policy == TrafficPolicy::kLocal
                                 ? BackendList::kLocal
                                 : BackendList::kCluster;
    std::vector<Frontend> frontends;
    for (const IpAddress& address : service_.cluster_ips) {
      const FrontendKey key{.address = address, .port = port.port, .protocol = port.protocol};
      if (taken_.insert(key).second) {
        frontends.push_back({.key = key, .list = list});
      } else {
        Report(FieldOfPort(index),
               absl::StrCat(key.ToString(), " is already a frontend of this Service"));
      }
    }
    std::sort(frontends.begin(), frontends.end());
    return frontends;
  }

  std::vector<Backend> BackendsOf(size_t index, const std::vector<Frontend>& frontends) {
    std::vector<Backend> backends;
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      const bool wanted = std::any_of(
          frontends.begin(), frontends.end(),
          [&](const Frontend& frontend) { return frontend.key.address.family() == family; });
      if (wanted) {
        AppendBackends(index, family, backends);
      }
    }
    std::sort(backends.begin(), backends.end());
    return backends;
  }

  void AppendBackends(size_t index, Family family, std::vector<Backend>& backends) {
    const ServicePort& port = service_.ports[index];
    const EndpointSelection selection =
        SelectEndpoints(slices_, {.name = port.name, .protocol = port.protocol, .family = family},
                        ListsUsedBy(service_, port), node_);
    backends.reserve(backends.size() + selection.candidates.size());
    size_t in_cluster = 0, in_local = 0;
    for (const Candidate& candidate : selection.candidates) {
      if (!MayServe(candidate)) {
        continue;
      }
      backends.push_back({.address = candidate.endpoint->address,
                          .port = candidate.port,
                          .in_cluster_list = IsSelected(candidate.cluster) && Fits(in_cluster),
                          .in_local_list = IsSelected(candidate.local) && Fits(in_local)});
    }
    ReportCut(index, family, std::max(in_cluster, in_local));
  }

  static bool MayServe(const Candidate& candidate) {
    return candidate.TakesNewConnections() ||
           (candidate.IsDistinct() && candidate.endpoint->serving);
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
  absl::flat_hash_set<FrontendKey> taken_;  // by this Service
};

}  // namespace

ServicePlan PlanService(const ServiceInput& input, const NodeContext& node) {
  if (input.service == nullptr || !IsProxied(*input.service)) {
    return {};
  }
  return ServicePlanner(input, node).Plan();
}

}  // namespace shunt
