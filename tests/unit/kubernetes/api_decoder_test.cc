// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/api_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/kubernetes/wire.h"
#include "userspace/base/absl_view.h"
#include "userspace/sources/kubernetes/envelope.h"
#include "userspace/sources/manifests/manifest_decoder.h"
#include "userspace/sources/manifests/yaml_reader.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Fate = DecodedObject::Fate;

Resource ResourceOf(Kind kind) {
  return {.kind = kind, .api_version = kind == Kind::kEndpointSlice ? "discovery.k8s.io/v1" : "v1"};
}

std::unique_ptr<google::protobuf::Message> NewMessage(Kind kind) {
  if (kind == Kind::kService) return std::make_unique<kubernetes::Service>();
  if (kind == Kind::kNode) return std::make_unique<kubernetes::Node>();
  return std::make_unique<kubernetes::EndpointSlice>();
}

// The object of a JSON text as it is on the wire, without an envelope.
std::string Serialized(Kind kind, const std::string& json) {
  YamlReader reader(json);
  EXPECT_TRUE(reader.Next().ok()) << json;
  const auto message = NewMessage(kind);
  FillMessage(*reader.root(), *message);
  return message->SerializeAsString();
}

std::string ProtobufEvent(std::string_view type, Kind kind, const std::string& json) {
  return EventOf(type,
                 Enveloped(ResourceOf(kind).api_version, KindName(kind), Serialized(kind, json)));
}

std::vector<std::string> Messages(Problems problems) {
  std::vector<std::string> messages;
  for (Problem& problem : problems) {
    problem.origin.clear();  // only a file has lines
    messages.push_back(problem.ToString());
  }
  return messages;
}

std::unique_ptr<ApiDecoder> Protobuf(const Resource& resource) {
  return *ApiDecoder::For("application/vnd.kubernetes.protobuf;stream=watch", resource);
}
std::unique_ptr<ApiDecoder> Json(const Resource& resource) {
  return *ApiDecoder::For("application/json", resource);
}

// Objects of each kind as a cluster has them, right and wrong. A file has
// apiVersion and kind besides.
struct Sample {
  Kind kind;
  std::string members;  // of the JSON object
};

const std::vector<Sample>& Samples() {
  static const std::vector<Sample> samples = {
      {Kind::kService,
       R"("metadata":{"name":"web","namespace":"shop","creationTimestamp":"2024-05-01T10:00:00Z",
        "resourceVersion":"7","labels":{"app":"web"},"annotations":{"service.shunt/exclude":"true"}},
        "spec":{"type":"LoadBalancer","clusterIP":"10.96.0.10","clusterIPs":["10.96.0.10","fd00::10"],
        "externalIPs":["192.0.2.7"],"externalTrafficPolicy":"Local","internalTrafficPolicy":"Cluster",
        "healthCheckNodePort":32100,"loadBalancerSourceRanges":[" 10.0.0.0/8 "],"sessionAffinity":"ClientIP",
        "sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}},
        "ports":[{"name":"http","port":80,"protocol":"TCP","nodePort":30080,"targetPort":8080},
                 {"name":"dns","port":53,"protocol":"UDP"}]},
        "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.9"},{"ip":"192.0.2.8","ipMode":"Proxy"},
                  {"ip":"192.0.2.6","ipMode":"VIP"},{"hostname":"lb.example"}]}})"},
      {Kind::kService,
       R"("metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"None"})"},
      {Kind::kService, R"("metadata":{"name":"web","namespace":"shop"},
        "spec":{"type":"ExternalName","externalName":"example.org"})"},
      {Kind::kService, R"("metadata":{"name":"web","namespace":"shop",
        "labels":{"service.kubernetes.io/service-proxy-name":""}},"spec":{"clusterIP":"10.96.0.10","ports":[{"port":80}]})"},
      {Kind::kService,
       R"("metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.96.0.10",
        "ports":[{"name":"a","port":70000},{"name":"b","port":-1},{"name":"c","port":80,"protocol":"ICMP"},
                 {"name":"d","port":81,"nodePort":99999},{"name":"e","port":82}]})"},
      {Kind::kService,
       R"("metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.96.0.300",
        "clusterIPs":["127.0.0.1","010.096.000.001"],"externalIPs":["::1","0.0.0.0","192.0.2.7"],
        "loadBalancerSourceRanges":["abc"],"sessionAffinity":"Foo","externalTrafficPolicy":"Foo","type":"ClusterIP"})"},
      {Kind::kService,
       R"("metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.96.0.10",
        "sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":0}},"type":"Foo"})"},
      {Kind::kService,
       R"("metadata":{"name":"Not A Name","namespace":"shop"},"spec":{"clusterIP":"10.96.0.10"})"},
      {Kind::kService, R"("metadata":{"name":"web","namespace":"shop"})"},
      {Kind::kEndpointSlice,
       R"("metadata":{"name":"web-1","namespace":"shop","labels":{"kubernetes.io/service-name":"web"},
        "annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"2024-05-01T10:00:00.5Z"}},
        "addressType":"IPv4","ports":[{"name":"http","port":8080,"protocol":"TCP"},{"name":"all"}],
        "endpoints":[{"addresses":["10.244.1.5","10.244.1.6"],"nodeName":"node-a","zone":"a",
                      "conditions":{"ready":false,"serving":true,"terminating":true},
                      "hints":{"forZones":[{"name":"a"}],"forNodes":[{"name":"node-a"}]}},
                     {"addresses":["10.244.1.7"]},{"addresses":[]},{"addresses":["169.254.169.254"]},
                     {"addresses":["fd00::1"]},{"addresses":["10.244.1.8"],"conditions":{"ready":true}}])"},
      {Kind::kEndpointSlice,
       R"("metadata":{"name":"web-1","namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},
        "addressType":"FQDN","endpoints":[{"addresses":["example.org"]}])"},
      {Kind::kEndpointSlice,
       R"("metadata":{"name":"web-1","namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},
        "addressType":"IP","endpoints":[{"addresses":["10.0.0.1"]}])"},
      {Kind::kEndpointSlice,
       R"("metadata":{"name":"web-1","namespace":"shop"},"addressType":"IPv4")"},
      {Kind::kEndpointSlice,
       R"("metadata":{"name":"web-1","namespace":"shop","labels":{"kubernetes.io/service-name":"web",
        "service.kubernetes.io/headless":""}},"addressType":"IPv4")"},
      {Kind::kEndpointSlice,
       R"("metadata":{"name":"web-1","namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},
        "addressType":"IPv6","ports":[{"name":"","port":0},{"name":"x","port":1,"protocol":"UDP"}],
        "endpoints":[{"addresses":["fd00::2"]}])"},
      {Kind::kNode, R"("metadata":{"name":"node-a","labels":{"topology.kubernetes.io/zone":"a"}},
        "spec":{"podCIDR":"10.244.1.0/24","podCIDRs":["10.244.1.0/24","fd01::/64"],
                "taints":[{"key":"ToBeDeletedByClusterAutoscaler","effect":"NoSchedule"}]},
        "status":{"addresses":[{"type":"Hostname","address":"node-a"},{"type":"ExternalIP","address":"192.0.2.1"},
                               {"type":"InternalIP","address":"10.0.0.1"},{"type":"InternalIP","address":"x"}]})"},
      {Kind::kNode,
       R"("metadata":{"name":"node-a","deletionTimestamp":"2024-05-01T10:00:00Z"},"spec":{"podCIDR":""})"},
  };
  return samples;
}

// Service of a file, of protobuf, of JSON: the same object and the same
// complaints, for each sample.
TEST(ApiDecoder, SaysOfAnObjectWhatAFileSaysOfIt) {
  for (const Sample& sample : Samples()) {
    const Resource resource = ResourceOf(sample.kind);
    const std::string json =
        absl::StrCat("{\"apiVersion\":\"", Absl(resource.api_version), "\",\"kind\":\"",
                     Absl(KindName(sample.kind)), "\",", sample.members, "}");
    SCOPED_TRACE(json);
    const ManifestContent file = DecodeManifest("file.yaml", json);
    const auto protobuf =
        Protobuf(resource)->DecodeEvent(ProtobufEvent("ADDED", sample.kind, json));
    const auto from_json =
        Json(resource)->DecodeEvent(absl::StrCat(R"({"type":"ADDED","object":)", json, "}"));
    ASSERT_TRUE(protobuf.ok()) << protobuf.status();
    ASSERT_TRUE(from_json.ok()) << from_json.status();

    for (const WatchEvent* event : {&*protobuf, &*from_json}) {
      const auto& decoded = event->object.decoded;
      // Nobody misspells in protobuf; that null and absent differ there is seen
      // in the message alone.
      EXPECT_EQ(Messages(event->object.problems).size(), file.problems.size());
      if (file.objects.empty()) {
        EXPECT_TRUE(!decoded || decoded->fate == Fate::kOfNoConcern);
        continue;
      }
      ASSERT_TRUE(decoded);
      EXPECT_EQ(decoded->key, file.objects[0].key);
      ASSERT_EQ(decoded->object == nullptr, file.objects[0].object == nullptr);
      if (decoded->object != nullptr) {
        EXPECT_TRUE(*decoded->object == *file.objects[0].object);
      }
    }
    EXPECT_EQ(Messages(from_json->object.problems), Messages(file.problems));
  }
}

constexpr char kWeb[] =
    R"({"metadata":{"name":"web","namespace":"shop","resourceVersion":"7"},"spec":{"clusterIP":"10.96.0.10"}})";

TEST(ApiDecoder, ReadsTheVersionAndTypeOfEachEvent) {
  const Resource resource = ResourceOf(Kind::kService);
  const auto decoder = Protobuf(resource);
  const std::vector<std::pair<std::string, WatchEvent::Type>> types = {
      {"ADDED", WatchEvent::Type::kAdded},
      {"MODIFIED", WatchEvent::Type::kModified},
      {"DELETED", WatchEvent::Type::kDeleted}};
  for (const auto& [text, type] : types) {
    const auto event = decoder->DecodeEvent(ProtobufEvent(text, Kind::kService, kWeb));
    ASSERT_TRUE(event.ok()) << event.status();
    EXPECT_EQ(event->type, type);
    EXPECT_EQ(event->object.resource_version, "7");
  }
  EXPECT_THAT(
      decoder->DecodeEvent(ProtobufEvent("SOMETHING", Kind::kService, kWeb)).status().message(),
      HasSubstr("\"SOMETHING\" is not a type of event"));
}

TEST(ApiDecoder, ReadsTheBookmarkThatEndsTheInitialEvents) {
  const Resource resource = ResourceOf(Kind::kService);
  const std::string bookmark =
      R"({"kind":"Service","apiVersion":"v1","metadata":{"resourceVersion":"12","annotations":{"k8s.io/initial-events-end":"true"}}})";
  const auto protobuf =
      Protobuf(resource)->DecodeEvent(ProtobufEvent("BOOKMARK", Kind::kService, bookmark));
  const auto json = Json(resource)->DecodeEvent(R"({"type":"BOOKMARK","object":)" + bookmark + "}");
  for (const auto* event : {&protobuf, &json}) {
    ASSERT_TRUE(event->ok()) << event->status();
    EXPECT_EQ((*event)->object.resource_version, "12");
    EXPECT_TRUE((*event)->ends_initial_events);
  }
}

TEST(ApiDecoder, ReadsAnErrorInsideOfAStream) {
  const Resource resource = ResourceOf(Kind::kService);
  kubernetes::Status status;
  status.set_code(504);
  status.set_reason("Timeout");
  status.set_message("Too large resource version");
  status.mutable_details()->set_retryafterseconds(3);
  status.mutable_details()->add_causes()->set_reason("ResourceVersionTooLarge");
  const auto protobuf = Protobuf(resource)->DecodeEvent(
      EventOf("ERROR", Enveloped("v1", "Status", status.SerializeAsString())));
  const auto json = Json(resource)->DecodeEvent(
      R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":504,"reason":"Timeout",
          "message":"Too large resource version","details":{"retryAfterSeconds":3,
          "causes":[{"reason":"ResourceVersionTooLarge"}]}}})");
  for (const auto* event : {&protobuf, &json}) {
    ASSERT_TRUE(event->ok()) << event->status();
    EXPECT_EQ((*event)->status.code, 504);
    EXPECT_TRUE((*event)->status.version_too_large);
    EXPECT_EQ((*event)->status.retry_after_s, 3);
  }
  EXPECT_FALSE(Json(resource)->DecodeEvent(R"({"type":"ERROR","object":{"kind":"Pod"}})").ok());
}

TEST(ApiDecoder, SkipsAnObjectOfAnotherKind) {
  const Resource resource = ResourceOf(Kind::kService);
  const auto event =
      Protobuf(resource)->DecodeEvent(EventOf("ADDED", Enveloped("v1", "Pod", "\x0a\x00")));
  ASSERT_TRUE(event.ok());
  EXPECT_FALSE(event->object.decoded.has_value());
  EXPECT_THAT(event->object.problems, SizeIs(1));
}

std::vector<std::string> NamesIn(ApiDecoder& decoder, std::string_view body, absl::Status& status,
                                 ListMeta* meta = nullptr) {
  std::vector<std::string> names;
  const auto read = decoder.DecodeList(body, [&](ApiObject object) {
    names.push_back(object.decoded ? object.decoded->key.ToString() : "?");
  });
  status = read.status();
  if (read.ok() && meta != nullptr) *meta = *read;
  return names;
}

// metadata is field 1, each item is field 2.
std::string Field(char number, const std::string& value) {
  std::string field(1, static_cast<char>(number << 3 | 2));
  for (size_t left = value.size(); true; left >>= 7) {
    field.push_back(static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
    if (left <= 0x7f) return field + value;
  }
}

std::string ServiceListMessage() {
  kubernetes::ListMeta meta;
  meta.set_resourceversion("99");
  meta.set_continue_("next");
  const std::string api = R"({"metadata":{"name":"api","namespace":"shop"},"spec":{}})";
  return Field(1, meta.SerializeAsString()) + Field(2, Serialized(Kind::kService, kWeb)) +
         Field(2, Serialized(Kind::kService, api));
}

TEST(ApiDecoder, ReadsAListObjectByObject) {
  const Resource resource = ResourceOf(Kind::kService);
  absl::Status status;
  ListMeta meta;
  EXPECT_THAT(NamesIn(*Protobuf(resource), Enveloped("v1", "ServiceList", ServiceListMessage()),
                      status, &meta),
              ElementsAre("Service shop/web", "Service shop/api"));
  EXPECT_EQ(meta.resource_version, "99");
  EXPECT_EQ(meta.continue_token, "next");

  ListMeta json_meta;
  EXPECT_THAT(
      NamesIn(*Json(resource),
              absl::StrCat(R"({"kind":"ServiceList","apiVersion":"v1","metadata":)",
                           R"({"resourceVersion":"99","continue":"next"},"items":[)", kWeb, "]}"),
              status, &json_meta),
      ElementsAre("Service shop/web"));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(json_meta.continue_token, "next");
}

TEST(ApiDecoder, RefusesAListThatIsCutAnywhere) {
  const Resource resource = ResourceOf(Kind::kService);
  const std::string message = ServiceListMessage();
  absl::Status status;
  for (size_t size = 1; size < message.size(); ++size) {
    const std::string cut = message.substr(0, size);
    const auto names = NamesIn(*Protobuf(resource), Enveloped("v1", "ServiceList", cut), status);
    // Between two items nothing is seen to be missing; elsewhere it is.
    if (status.ok()) {
      const bool at_field =
          cut == Field(1, message.substr(2, static_cast<uint8_t>(message[1]))) || names.size() == 1;
      EXPECT_TRUE(at_field) << size;
    }
  }
}

TEST(ApiDecoder, RefusesListsOfAnotherKindAndBodiesThatAreNone) {
  const Resource resource = ResourceOf(Kind::kService);
  absl::Status status;
  const auto refused = [&](ApiDecoder& decoder, std::string_view body) {
    NamesIn(decoder, body, status);
    return !status.ok();
  };
  const auto protobuf = Protobuf(resource);
  for (const std::string& body :
       {std::string(), std::string("k8s"), std::string("k8s\x01", 4), std::string("K8S\0", 4),
        std::string("k8s\0", 4), Enveloped("v1", "PodList", ""), Enveloped("v2", "ServiceList", ""),
        Enveloped("v1", "ServiceList", "\x0b"), Enveloped("v1", "ServiceList", "\x04\x01"),
        Enveloped("v1", "ServiceList", std::string(11, '\xff')), std::string("k8s\0\xff\xff", 6)}) {
    EXPECT_TRUE(refused(*protobuf, body)) << absl::StrCat("size ", body.size());
  }
  const auto json = Json(resource);
  for (const char* body :
       {"", "[]", "{", "null", "<html></html>", R"({"kind":"PodList","items":[]})"}) {
    EXPECT_TRUE(refused(*json, body)) << body;
  }
}

TEST(ApiDecoder, SaysThatALoginPageIsNoApiServer) {
  const Resource resource = ResourceOf(Kind::kService);
  const auto decoder = ApiDecoder::For("text/html; charset=utf-8", resource);
  EXPECT_THAT(decoder.status().message(), HasSubstr("does not look like an API server"));
  EXPECT_TRUE(ApiDecoder::For("application/json; charset=utf-8", resource).ok());
  EXPECT_TRUE(ApiDecoder::For("", resource).ok());
}

TEST(Envelope, RefusesWhatIsCompressedOrOfAnotherFormatInside) {
  kubernetes::Unknown unknown;
  unknown.set_contentencoding("gzip");
  EXPECT_FALSE(OpenEnvelope(std::string("k8s\0", 4) + unknown.SerializeAsString()).ok());
  unknown.clear_contentencoding();
  unknown.set_contenttype("application/json");
  EXPECT_FALSE(OpenEnvelope(std::string("k8s\0", 4) + unknown.SerializeAsString()).ok());
}

TEST(ApiDecoder, SurvivesEveryByteChangedInAnEvent) {
  const Resource resource = ResourceOf(Kind::kEndpointSlice);
  const auto decoder = Protobuf(resource);
  const std::string event =
      ProtobufEvent("ADDED", Kind::kEndpointSlice, "{" + Samples()[9].members + "}");
  for (size_t i = 0; i < event.size(); ++i) {
    for (const char flip : {'\x01', '\x02', '\x04', '\x07', '\x80'}) {
      std::string changed = event;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      static_cast<void>(decoder->DecodeEvent(changed));
    }
  }
}

}  // namespace
}  // namespace shunt
