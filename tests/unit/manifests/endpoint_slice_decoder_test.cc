// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/manifests/decoding.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kHead[] =
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
    "metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}\n";

Decoded<EndpointSlice> DecodeIpv4(const std::string& text) {
  return DecodeOne<EndpointSlice>(absl::StrCat(kHead, "addressType: IPv4\n", text));
}

std::vector<std::string> Addresses(const EndpointSlice& slice) {
  std::vector<std::string> texts;
  for (const Endpoint& endpoint : slice.endpoints) texts.push_back(endpoint.address.ToString());
  return texts;
}

TEST(EndpointSliceDecoder, TakesWhatKubectlPrints) {
  const auto decoded = DecodeOne<EndpointSlice>(R"(addressType: IPv6
apiVersion: discovery.k8s.io/v1
endpoints:
- addresses:
  - fd00:1::5
  conditions:
    ready: false
    serving: true
    terminating: true
  hints:
    forNodes:
    - name: node-a
    forZones:
    - name: zone-a
    - name: zone-b
  nodeName: node-a
  targetRef:
    kind: Pod
    name: web-7d4b
  zone: zone-a
kind: EndpointSlice
metadata:
  annotations:
    endpoints.kubernetes.io/last-change-trigger-time: "2024-05-01T10:00:00.5Z"
  creationTimestamp: "2024-05-01T10:00:00Z"
  generateName: web-
  labels:
    endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io
    kubernetes.io/service-name: web
  name: web-x2x
  namespace: shop
  ownerReferences:
  - apiVersion: v1
    kind: Service
    name: web
ports:
- appProtocol: http
  name: http
  port: 8080
  protocol: TCP
)");
  EXPECT_THAT(decoded.problems, IsEmpty());
  const EndpointSlice expected{
      .meta = {.name = {"shop", "web-x2x"}, .created = absl::FromUnixSeconds(1714557600)},
      .service = {"shop", "web"},
      .family = Family::kIpv6,
      .ports = {{.name = "http", .port = 8080}},
      .endpoints = {{.address = *IpAddress::Parse("fd00:1::5"),
                     .node_name = "node-a",
                     .ready = false,
                     .serving = true,
                     .terminating = true,
                     .hints = {{.kind = EndpointHint::Kind::kZone, .name = "zone-a"},
                               {.kind = EndpointHint::Kind::kZone, .name = "zone-b"},
                               {.kind = EndpointHint::Kind::kNode, .name = "node-a"}}}},
      .trigger_time = absl::FromUnixMillis(1714557600500)};
  EXPECT_EQ(decoded.object, expected);
}

TEST(EndpointSliceDecoder, EveryCombinationOfConditionsMeansWhatItMeansToKubeProxy) {
  for (const char* ready : {"null", "true", "false"}) {
    for (const char* serving : {"null", "true", "false"}) {
      for (const char* terminating : {"null", "true", "false"}) {
        const auto decoded = DecodeIpv4(
            absl::StrCat("endpoints: [{addresses: [10.0.0.1], conditions: {ready: ", ready,
                         ", serving: ", serving, ", terminating: ", terminating, "}}]\n"));
        ASSERT_THAT(decoded.object.endpoints, SizeIs(1));
        const Endpoint& endpoint = decoded.object.endpoints[0];
        EXPECT_EQ(endpoint.ready, std::string_view(ready) != "false");
        EXPECT_EQ(endpoint.serving, std::string_view(serving) != "false");
        EXPECT_EQ(endpoint.terminating, std::string_view(terminating) == "true");
      }
    }
  }
}

TEST(EndpointSliceDecoder, AnEndpointThatCannotBeServedIsLeftOutAlone) {
  const auto decoded = DecodeIpv4(R"(endpoints:
- addresses: ["fd00::1"]
- addresses: []
- addresses: [169.254.169.254]
- addresses: [10.0.0.x]
- {}
-
- addresses: [10.0.0.2]
  conditions: {ready: maybe}
- addresses: 10.0.0.3
- addresses: [10.0.0.4, 10.0.0.5, nonsense]
- addresses: ["::ffff:10.0.0.6"]
)");
  ASSERT_TRUE(decoded.usable);
  EXPECT_THAT(Addresses(decoded.object), ElementsAre("10.0.0.4", "10.0.0.6"));
  EXPECT_THAT(
      decoded.problems,
      ElementsAre(
          "web.yaml:6: EndpointSlice shop/web-1: endpoints[0].addresses[0]: fd00::1 is not an "
          "IPv4 address, as addressType says",
          HasSubstr("endpoints[1].addresses: an endpoint needs an address"),
          HasSubstr("endpoints[2].addresses[0]: 169.254.169.254 is a link-local address"),
          HasSubstr("endpoints[3].addresses[0]: \"10.0.0.x\" is not an IP address"),
          HasSubstr("endpoints[4].addresses: an endpoint needs an address"),
          HasSubstr("endpoints[5]: this is empty, a map is expected"),
          HasSubstr("endpoints[6].conditions.ready: \"maybe\" is a text, true or false is"),
          HasSubstr("endpoints[7].addresses: \"10.0.0.3\" is a text, a list is expected")));
}

TEST(EndpointSliceDecoder, APortThatCannotBeServedIsLeftOutAlone) {
  const auto decoded = DecodeIpv4(R"(ports:
- {name: all}
- {name: zero, port: 0}
- {name: other, port: 80, protocol: ICMP}
- {port: 8080}
)");
  ASSERT_THAT(decoded.object.ports, SizeIs(1));
  EXPECT_EQ(decoded.object.ports[0], (EndpointPort{.port = 8080}));
  EXPECT_THAT(decoded.problems, SizeIs(3));
}

TEST(EndpointSliceDecoder, NoPortsAndNoEndpointsAreNoProblem) {
  const auto decoded = DecodeIpv4("ports: null\nendpoints: null\n");
  EXPECT_TRUE(decoded.usable);
  EXPECT_THAT(decoded.problems, IsEmpty());
}

TEST(EndpointSliceDecoder, AMisspelledFieldIsPointedOut) {
  const auto decoded = DecodeIpv4(
      "endpoint: []\nendpoints: [{addresses: [10.0.0.1], condition: {}, conditions: {redy: "
      "false}}]\n");
  EXPECT_TRUE(decoded.usable);
  EXPECT_THAT(decoded.problems,
              ElementsAre(HasSubstr("EndpointSlice shop/web-1: endpoint: is unknown and ignored; "
                                    "endpoints may be meant"),
                          HasSubstr("endpoints[0].condition: is unknown"),
                          HasSubstr("endpoints[0].conditions.redy: is unknown")));
}

TEST(EndpointSliceDecoder, TenThousandEndpointsAreFine) {
  std::string text = "endpoints:\n";
  for (int i = 0; i < 10000; ++i) {
    absl::StrAppend(&text, "- addresses: [10.1.", i >> 8, ".", i & 255, "]\n");
  }
  const auto decoded = DecodeIpv4(text);
  EXPECT_THAT(decoded.problems, IsEmpty());
  EXPECT_THAT(decoded.object.endpoints, SizeIs(10000));
}

TEST(EndpointSliceDecoder, SlicesThatNoProxyServesAreIgnoredQuietly) {
  for (const std::string& text :
       {absl::StrCat(kHead, "addressType: FQDN\nendpoints: [{addresses: [example.org]}]\n"),
        std::string("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
                    "metadata: {name: x, labels: {service.kubernetes.io/headless: ''}}\n")}) {
    const auto decoded = DecodeOne<EndpointSlice>(text);
    EXPECT_FALSE(decoded.usable);
    EXPECT_THAT(decoded.problems, IsEmpty()) << text;
  }
}

TEST(EndpointSliceDecoder, ASliceOfNoServiceSaysSo) {
  const ManifestContent content =
      DecodeManifest("web.yaml",
                     "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: "
                     "x}\naddressType: IPv4\n");
  EXPECT_THAT(content.objects, IsEmpty());  // gone, and not kept in its last good state
  EXPECT_THAT(Messages(content.problems), ElementsAre(HasSubstr("belongs to no Service")));
}

TEST(EndpointSliceDecoder, AnUnknownAddressTypeIsAMistake) {
  for (const char* type : {"", "addressType: IP\n", "addressType: 4\n"}) {
    const auto decoded = DecodeOne<EndpointSlice>(absl::StrCat(kHead, type));
    EXPECT_FALSE(decoded.usable);
    EXPECT_THAT(decoded.problems, ElementsAre(HasSubstr("addressType"))) << type;
  }
}

}  // namespace
}  // namespace shunt
