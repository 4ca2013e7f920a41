// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/api_objects.h"

#include <google/protobuf/unknown_field_set.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/unit/kubernetes/wire.h"

namespace shunt::bench {
namespace {

constexpr int64_t kCreated = 1'790'000'000;
constexpr int kManagedBytes = 400;  // of field names, of an EndpointSlice of a real cluster

std::string Serialized(const google::protobuf::UnknownFieldSet& fields) {
  std::string text;
  fields.SerializeToString(&text);
  return text;
}

std::string UidOf(std::string_view kind, uint64_t number) {
  return absl::StrFormat("%08x-0000-4000-8000-%012x", std::hash<std::string_view>()(kind) >> 32,
                         number);
}

std::string ManagedFields() {
  google::protobuf::UnknownFieldSet fields;
  fields.AddLengthDelimited(1, "kube-controller-manager");
  fields.AddLengthDelimited(2, "Update");
  fields.AddLengthDelimited(6, "FieldsV1");
  google::protobuf::UnknownFieldSet json;
  json.AddLengthDelimited(1, "{\"f:metadata\":{" + std::string(kManagedBytes, ' ') + "}}");
  fields.AddLengthDelimited(7, Serialized(json));
  return Serialized(fields);
}

std::string PodReference(const std::string& service, uint64_t number) {
  google::protobuf::UnknownFieldSet fields;
  fields.AddLengthDelimited(1, "Pod");
  fields.AddLengthDelimited(2, "shop");
  fields.AddLengthDelimited(3, absl::StrCat(service, "-7d9f8b6c5d-", number));
  fields.AddLengthDelimited(4, UidOf("Pod", number));
  return Serialized(fields);
}

void FillMeta(const NamespacedName& name, uint64_t version, kubernetes::ObjectMeta& meta) {
  meta.set_name(name.name);
  if (!name.name_space.empty()) meta.set_namespace_(name.name_space);
  meta.set_resourceversion(absl::StrCat(version));
  meta.mutable_creationtimestamp()->set_seconds(kCreated);
  google::protobuf::UnknownFieldSet& others = *meta.GetReflection()->MutableUnknownFields(&meta);
  others.AddLengthDelimited(5, UidOf(name.name, version));
  others.AddVarint(7, 1);
  others.AddLengthDelimited(17, ManagedFields());
}

void AddEntry(kubernetes::Entry& entry, const std::string& key, const std::string& value) {
  entry.set_key(key);
  entry.set_value(value);
}

void FillEndpoint(const Endpoint& from, const std::string& service, uint64_t number,
                  kubernetes::Endpoint& to) {
  to.add_addresses(from.address.ToString());
  to.mutable_conditions()->set_ready(true);
  to.mutable_conditions()->set_serving(true);
  to.mutable_conditions()->set_terminating(false);
  to.set_nodename(from.node_name);
  google::protobuf::UnknownFieldSet& others = *to.GetReflection()->MutableUnknownFields(&to);
  others.AddLengthDelimited(4, PodReference(service, number));
  others.AddLengthDelimited(7, "zone-a");
}

std::string Frame(const std::string& type, const std::string& api_version, const std::string& kind,
                  const google::protobuf::Message& object) {
  return Framed(EventOf(type, Enveloped(api_version, kind, object.SerializeAsString())));
}

}  // namespace

std::string ServiceFrame(const ClusterShape& shape, int service, const std::string& type,
                         uint64_t version) {
  const std::string name = ServiceName(service).name;
  kubernetes::Service object;
  FillMeta(ServiceName(service), version, *object.mutable_metadata());
  kubernetes::ServiceSpec& spec = *object.mutable_spec();
  kubernetes::ServicePort& port = *spec.add_ports();
  port.set_protocol(shape.protocol == SHUNT_UDP ? "UDP" : "TCP");
  port.set_port(kServicePort);
  spec.set_clusterip(ServiceAddress(service).ToString());
  spec.add_clusterips(spec.clusterip());
  spec.set_type("ClusterIP");
  spec.set_sessionaffinity("None");
  spec.set_internaltrafficpolicy("Cluster");
  google::protobuf::UnknownFieldSet selector;
  selector.AddLengthDelimited(1, "app");
  selector.AddLengthDelimited(2, name);
  google::protobuf::UnknownFieldSet& others = *spec.GetReflection()->MutableUnknownFields(&spec);
  others.AddLengthDelimited(2, Serialized(selector));
  others.AddLengthDelimited(17, "SingleStack");
  others.AddLengthDelimited(19, "IPv4");
  return Frame(type, "v1", "Service", object);
}

std::string SliceFrame(const ClusterShape& shape, int service, int move, const std::string& type,
                       uint64_t version) {
  const ServiceInput input = MoveEndpoint(shape, service, move);
  const EndpointSlice& slice = *input.slices.front();
  kubernetes::EndpointSlice object;
  FillMeta(slice.meta.name, version, *object.mutable_metadata());
  auto& labels = *object.mutable_metadata()->mutable_labels();
  AddEntry(*labels.Add(), "endpointslice.kubernetes.io/managed-by",
           "endpointslice-controller.k8s.io");
  AddEntry(*labels.Add(), "kubernetes.io/service-name", slice.service.name);
  object.set_addresstype("IPv4");
  uint64_t number = static_cast<uint64_t>(service) * shape.endpoints;
  for (const Endpoint& endpoint : slice.endpoints) {
    FillEndpoint(endpoint, slice.service.name, number++, *object.add_endpoints());
  }
  kubernetes::EndpointPort& port = *object.add_ports();
  port.set_name("");
  port.set_protocol(shape.protocol == SHUNT_UDP ? "UDP" : "TCP");
  port.set_port(kEndpointPort);
  return Frame(type, "discovery.k8s.io/v1", "EndpointSlice", object);
}

std::string NodeFrame(const std::string& name, uint64_t version) {
  kubernetes::Node object;
  FillMeta({.name = name}, version, *object.mutable_metadata());
  kubernetes::NodeAddress& address = *object.mutable_status()->add_addresses();
  address.set_type("InternalIP");
  address.set_address("192.0.2.1");
  return Frame("ADDED", "v1", "Node", object);
}

std::string BookmarkFrame(const std::string& api_version, const std::string& kind, uint64_t version,
                          bool ends_list) {
  kubernetes::Node object;  // of any kind: all have metadata in the same place
  object.mutable_metadata()->set_resourceversion(absl::StrCat(version));
  if (ends_list) {
    AddEntry(*object.mutable_metadata()->add_annotations(), "k8s.io/initial-events-end", "true");
  }
  return Frame("BOOKMARK", api_version, kind, object);
}

}  // namespace shunt::bench
