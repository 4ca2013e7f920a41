// SPDX-License-Identifier: Apache-2.0
#include <string_view>
#include <utility>
#include <vector>

#include "userspace/model/fields.h"
#include "userspace/sources/manifests/decoders.h"

namespace shunt {
namespace {

// What the cluster calls the node comes before what the world calls it; names
// are no addresses.
std::vector<IpAddress> DecodeAddresses(const Value& list) {
  std::vector<IpAddress> internal, external;
  for (size_t i = 0; i < list.size(); ++i) {
    const Value element = list.At(i);
    const UnitScope unit(element.report());
    if (!element.ExpectMap()) continue;
    const std::string_view type = element.Get("type").Text();
    if (type != "InternalIP" && type != "ExternalIP") continue;
    const Value address = element.Get("address");
    const std::string_view text = address.Text();
    if (unit.rejected()) continue;
    if (auto parsed = ReadServingAddress(text, address.path(), address.report())) {
      (type == "InternalIP" ? internal : external).push_back(*parsed);
    }
  }
  internal.insert(internal.end(), external.begin(), external.end());
  return internal;
}

void AddPodCidr(const Value& value, std::vector<Cidr>& into) {
  const UnitScope unit(value.report());
  const std::string_view text = value.Text();
  if (text.empty()) return;  // not yet allocated
  if (auto cidr = ReadCidr(text, value.path(), value.report())) into.push_back(*cidr);
}

std::vector<Cidr> DecodePodCidrs(const Value& spec) {
  std::vector<Cidr> cidrs;
  const Value list = spec.List("podCIDRs");
  for (size_t i = 0; i < list.size(); ++i) AddPodCidr(list.At(i), cidrs);
  if (list.size() == 0) AddPodCidr(spec.Get("podCIDR"), cidrs);
  return cidrs;
}

bool HasAutoscalerTaint(const Value& taints) {
  for (size_t i = 0; i < taints.size(); ++i) {
    const Value taint = taints.At(i);
    const UnitScope unit(taint.report());
    if (taint.ExpectMap() && taint.Get("key").Text() == "ToBeDeletedByClusterAutoscaler") {
      return true;
    }
  }
  return false;
}

}  // namespace

Node DecodeNode(const Value& object, ObjectMeta meta) {
  Node node{.meta = std::move(meta)};
  const Value metadata = object.Map("metadata");
  const Value labels = metadata.Map("labels");
  node.zone = labels.Get("topology.kubernetes.io/zone").Text();

  const Value status = object.Map("status");
  node.addresses = DecodeAddresses(status.List("addresses"));
  const Value spec = object.Map("spec");
  node.pod_cidrs = DecodePodCidrs(spec);
  node.being_removed =
      !metadata.Get("deletionTimestamp").absent() || HasAutoscalerTaint(spec.List("taints"));
  return node;
}

}  // namespace shunt
