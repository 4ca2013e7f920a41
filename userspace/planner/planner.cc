// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/planner.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

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

Problem LostFrontend(const Claimant& loser, const FrontendKey& key, const Claimant& owner) {
  const char* const right = owner.created < loser.created ? "is older" : "comes first by name";
  return {.object = absl::StrCat("Service ", loser.service.ToString()),
          .field = "spec.clusterIPs",
          .message = absl::StrCat(key.ToString(), " belongs to Service ", owner.service.ToString(),
                                  ", which ", right)};
}

}  // namespace

Planner::Planner(const std::string& node_name) : node_{.name = absl::AsciiStrToLower(node_name)} {}

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

// Whether traffic may have to go elsewhere because the node is not what it was.
bool Planner::TakeNode(const ClusterChanges& changes) {
  if (has_updated_ && !changes.node_changed) {
    return false;
  }
  const std::string zone = changes.node == nullptr ? "" : changes.node->zone;
  return std::exchange(node_.zone, zone) != zone;
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
      if (claims_.Add(frontend.key, &record.claimant)) {
        work.frontends.insert(frontend.key);
      }
    }
  }
}

void Planner::Withdraw(const Record& record, Work& work) {
  for (const auto& [name, port] : record.plan.ports) {
    for (const Frontend& frontend : port->frontends) {
      if (claims_.Remove(frontend.key, &record.claimant)) {
        work.frontends.insert(frontend.key);
      }
    }
  }
}

// Another owner concerns everybody who wants the frontend: one gets it, the
// others report another winner. Once for each update: thousands may want one.
void Planner::AddRivals(Work& work) const {
  for (const FrontendKey& key : work.frontends) {
    for (const Claimant* claimant : claims_.ClaimantsOf(key)) {
      work.services.insert(claimant->service);
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

// The service port without the frontends that are an older Service's.
ServicePortStatePtr Planner::OwnedPart(const ServicePortStatePtr& planned, const Record& record,
                                       Problems& problems) const {
  std::vector<Frontend> owned;
  for (const Frontend& frontend : planned->frontends) {
    const Claimant* owner = claims_.OwnerOf(frontend.key);
    if (owner == &record.claimant) {
      owned.push_back(frontend);
    } else {
      problems.push_back(LostFrontend(record.claimant, frontend.key, *owner));
    }
  }
  if (owned.size() == planned->frontends.size()) {
    return planned;
  }
  return std::make_shared<ServicePortState>(
      ServicePortState{.frontends = std::move(owned), .backends = planned->backends});
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

DatapathState Plan(const ClusterSnapshot& snapshot, const std::string& node_name) {
  Planner planner(node_name);
  planner.Update(snapshot);
  return planner.state();
}

}  // namespace shunt
