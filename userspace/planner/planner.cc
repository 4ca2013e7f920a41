// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/planner.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "userspace/planner/frontends.h"

namespace shunt {
namespace {

bool HaveSameFrontends(const DatapathState& a, const DatapathState& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second->frontends == y.second->frontends;
  });
}

// Ports that are equal to what was planned before keep their object, which
// state_ holds as well.
void ReuseEqualPorts(const DatapathState& before, DatapathState& ports) {
  for (auto& [name, port] : ports) {
    const auto old = before.find(name);
    if (old != before.end() && *old->second == *port) {
      port = old->second;
    }
  }
}

const char* KindText(shunt_frontend_kind kind) {
  switch (kind) {
    case SHUNT_CLUSTER_IP:
    case SHUNT_OTHER_PORTS:
      return "a ClusterIP";
    case SHUNT_LOAD_BALANCER_IP:
      return "a load-balancer IP";
    case SHUNT_EXTERNAL_IP:
      return "an external IP";
    case SHUNT_NODE_PORT:
      return "a node port";
  }
  return "a frontend";
}

const char* FieldOf(shunt_frontend_kind kind) {
  switch (kind) {
    case SHUNT_CLUSTER_IP:
    case SHUNT_OTHER_PORTS:
      return "spec.clusterIPs";
    case SHUNT_LOAD_BALANCER_IP:
      return "status.loadBalancer.ingress";
    case SHUNT_EXTERNAL_IP:
      return "spec.externalIPs";
    case SHUNT_NODE_PORT:
      return "spec.ports";
  }
  return "";
}

std::string RightOf(const FrontendClaim& owner, const FrontendClaim& loser) {
  if (owner.kind != loser.kind) {
    return absl::StrCat("for which it is ", KindText(owner.kind));
  }
  return owner.claimant->created < loser.claimant->created ? "which is older"
                                                           : "which comes first by name";
}

Problem LostFrontend(const FrontendKey& key, const FrontendClaim& loser,
                     const FrontendClaim& owner) {
  return {.object = absl::StrCat("Service ", loser.claimant->service.ToString()),
          .field = FieldOf(loser.kind),
          .message = absl::StrCat(key.ToString(), " belongs to Service ",
                                  owner.claimant->service.ToString(), ", ", RightOf(owner, loser))};
}

// Where another frontend says the same, one report is enough.
bool IsReported(const Frontend& frontend) {
  return frontend.key.scope == SHUNT_SCOPE_NODE && frontend.kind != SHUNT_OTHER_PORTS;
}

}  // namespace

Planner::Planner(const std::string& node_name) : node_{.name = absl::AsciiStrToLower(node_name)} {}

void Planner::SetNodePortAddresses(std::vector<IpAddress> addresses) {
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses != node_.node_port_addresses) {
    node_.node_port_addresses = std::move(addresses);
    node_port_addresses_changed_ = true;
  }
}

StateChanges Planner::Update(const ClusterChanges& changes) {
  Work work;
  for (const auto& [name, input] : changes.services) {
    TakeInput(name, input, work);
  }
  if (TakeNode(changes)) {
    for (const auto& [name, record] : records_) {
      Replan(*record, work);
    }
  } else {
    for (const auto& [name, input] : changes.services) {
      if (input.service != nullptr) {
        Replan(*records_.at(name), work);
      }
    }
  }
  AddRivals(work);
  StateChanges result{.complete = !std::exchange(has_updated_, true)};
  for (const NamespacedName& name : work.services) {
    Settle(name, result);
  }
  return result;
}

StateChanges Planner::Everything() const { return {.changed = state_, .complete = true}; }

// Whether traffic may have to go elsewhere because the node is not what it was.
bool Planner::TakeNode(const ClusterChanges& changes) {
  const bool addresses_changed = std::exchange(node_port_addresses_changed_, false);
  if (has_updated_ && !changes.node_changed) {
    return addresses_changed;
  }
  NodeContext node = node_;
  node.zone = changes.node == nullptr ? "" : changes.node->zone;
  node.addresses = changes.node == nullptr ? std::vector<IpAddress>() : changes.node->addresses;
  return std::exchange(node_, node) != node || addresses_changed;
}

void Planner::TakeInput(const NamespacedName& name, const ServiceInput& input, Work& work) {
  if (input.service == nullptr) {
    Remove(name, work);
    return;
  }
  std::unique_ptr<Record>& record = records_[name];
  if (record == nullptr) {
    record = std::make_unique<Record>();
  }
  record->input = input;
}

void Planner::Remove(const NamespacedName& name, Work& work) {
  const auto record = records_.find(name);
  if (record != records_.end()) {
    Withdraw(*record->second, work);
    work.services.insert(name);
    records_.erase(record);
  }
}

void Planner::Replan(Record& record, Work& work) {
  const ObjectMeta& meta = record.input.service->meta;
  Claimant claimant{.created = meta.created, .service = meta.name};
  ServicePlan plan = PlanService(record.input, node_);
  ReuseEqualPorts(record.plan.ports, plan.ports);
  work.services.insert(meta.name);
  if (record.claimant == claimant && HaveSameFrontends(record.plan.ports, plan.ports)) {
    record.plan = std::move(plan);
    return;
  }
  Withdraw(record, work);
  record.claimant = std::move(claimant);
  record.plan = std::move(plan);
  Claim(record, work);
}

void Planner::Claim(const Record& record, Work& work) {
  for (const auto& [name, port] : record.plan.ports) {
    for (const Frontend& frontend : port->frontends) {
      const FrontendKey key = ClaimKeyOf(frontend.key);
      if (key == frontend.key && claims_.Add(key, {frontend.kind, &record.claimant})) {
        work.frontends.insert(key);
      }
    }
  }
}

void Planner::Withdraw(const Record& record, Work& work) {
  for (const auto& [name, port] : record.plan.ports) {
    for (const Frontend& frontend : port->frontends) {
      const FrontendKey key = ClaimKeyOf(frontend.key);
      if (key == frontend.key && claims_.Remove(key, {frontend.kind, &record.claimant})) {
        work.frontends.insert(key);
      }
    }
  }
}

// Another owner concerns everybody who wants the frontend: one gets it, the
// others report another winner. Once for each update: thousands may want one.
void Planner::AddRivals(Work& work) const {
  for (const FrontendKey& key : work.frontends) {
    for (const FrontendClaim& claim : claims_.ClaimsTo(key)) {
      work.services.insert(claim.claimant->service);
    }
  }
}

// Brings state_ and problems_ up to date with the plan and the claims of a
// Service, which may be gone.
void Planner::Settle(const NamespacedName& name, StateChanges& changes) {
  Problems problems;
  const DatapathState ports = OwnedPortsOf(name, problems);
  ReplacePorts(name, ports, changes);
  if (problems.empty()) {
    problems_.erase(name);
  } else {
    problems_[name] = std::move(problems);
  }
}

DatapathState Planner::OwnedPortsOf(const NamespacedName& name, Problems& problems) const {
  DatapathState ports;
  const auto record = records_.find(name);
  if (record == records_.end()) {
    return ports;
  }
  problems = record->second->plan.problems;
  for (const auto& [port_name, planned] : record->second->plan.ports) {
    const ServicePortStatePtr owned = OwnedPart(planned, *record->second, problems);
    if (!owned->frontends.empty()) {
      ports.emplace(port_name, owned);
    }
  }
  return ports;
}

// The service port without the frontends that are another Service's.
ServicePortStatePtr Planner::OwnedPart(const ServicePortStatePtr& planned, const Record& record,
                                       Problems& problems) const {
  std::vector<Frontend> owned;
  for (const Frontend& frontend : planned->frontends) {
    const FrontendClaim claim{frontend.kind, &record.claimant};
    const FrontendClaim owner = claims_.OwnerOf(ClaimKeyOf(frontend.key));
    if (owner == claim) {
      owned.push_back(frontend);
    } else if (IsReported(frontend)) {
      problems.push_back(LostFrontend(frontend.key, claim, owner));
    }
  }
  if (owned.size() == planned->frontends.size()) {
    return planned;
  }
  ServicePortState state = *planned;
  state.frontends = std::move(owned);
  EmptyUnusedLists(state);
  return std::make_shared<ServicePortState>(std::move(state));
}

void Planner::ReplacePorts(const NamespacedName& name, const DatapathState& ports,
                           StateChanges& changes) {
  auto old = state_.lower_bound({.name_space = name.name_space, .name = name.name, .protocol = {}});
  while (old != state_.end() && old->first.name_space == name.name_space &&
         old->first.name == name.name) {
    if (ports.contains(old->first)) {
      ++old;
    } else {
      changes.changed[old->first] = nullptr;
      old = state_.erase(old);
    }
  }
  for (const auto& [port_name, port] : ports) {
    ServicePortStatePtr& current = state_[port_name];
    if (current == nullptr || (current != port && *current != *port)) {
      changes.changed[port_name] = current = port;
    }
  }
}

Problems Planner::problems() const {
  Problems all;
  for (const auto& [name, problems] : problems_) {
    all.insert(all.end(), problems.begin(), problems.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

size_t Planner::problem_count() const {
  size_t count = 0;
  for (const auto& [name, problems] : problems_) count += problems.size();
  return count;
}

DatapathState Plan(const ClusterSnapshot& snapshot, const std::string& node_name,
                   std::vector<IpAddress> node_port_addresses) {
  Planner planner(node_name);
  planner.SetNodePortAddresses(std::move(node_port_addresses));
  planner.Update(snapshot);
  return planner.state();
}

}  // namespace shunt
