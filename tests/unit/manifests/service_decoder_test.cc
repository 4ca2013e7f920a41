// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/manifests/decoding.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A Service shop/web with this in its spec (two blanks deep).
Decoded<Service> DecodeSpec(const std::string& spec) {
  return DecodeOne<Service>(
      "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec:\n" + spec);
}

std::vector<std::string> Texts(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.ToString());
  return texts;
}

std::vector<std::string> Texts(const std::vector<ServicePort>& ports) {
  std::vector<std::string> texts;
  for (const ServicePort& port : ports) {
    texts.push_back(port.name + ":" + std::to_string(port.port) + "/" +
                    std::string(ProtocolName(port.protocol)));
  }
  return texts;
}

TEST(ServiceDecoder, TakesWhatKubectlPrints) {
  const auto decoded = DecodeOne<Service>(R"(apiVersion: v1
kind: Service
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"apiVersion":"v1","kind":"Service","metadata":{"annotations":{},"name":"web"}}
  creationTimestamp: "2024-05-01T10:00:00Z"
  labels:
    app: web
  name: web
  namespace: shop
  resourceVersion: "4711"
  uid: 5f1c8c1e-2a7b-4f0e-9d5c-0a1b2c3d4e5f
spec:
  allocateLoadBalancerNodePorts: true
  clusterIP: 10.96.0.10
  clusterIPs:
  - 10.96.0.10
  - fd00::10
  externalIPs:
  - 192.0.2.7
  externalTrafficPolicy: Local
  healthCheckNodePort: 32100
  internalTrafficPolicy: Cluster
  ipFamilies:
  - IPv4
  - IPv6
  ipFamilyPolicy: RequireDualStack
  loadBalancerSourceRanges:
  - 203.0.113.0/24
  ports:
  - appProtocol: http
    name: http
    nodePort: 30080
    port: 80
    protocol: TCP
    targetPort: web
  - name: dns
    port: 53
    protocol: UDP
    targetPort: 5353
  selector:
    app: web
  sessionAffinity: ClientIP
  sessionAffinityConfig:
    clientIP:
      timeoutSeconds: 600
  type: LoadBalancer
status:
  loadBalancer:
    ingress:
    - ip: 198.51.100.1
      ipMode: VIP
    - ip: 198.51.100.2
      ipMode: Proxy
    - hostname: lb.example.org
)");
  EXPECT_THAT(decoded.problems, IsEmpty());
  ASSERT_TRUE(decoded.usable);
  const Service expected{
      .meta = {.name = {"shop", "web"}, .created = absl::FromUnixSeconds(1714557600)},
      .type = ServiceType::kLoadBalancer,
      .cluster_ips = {*IpAddress::Parse("10.96.0.10"), *IpAddress::Parse("fd00::10")},
      .external_ips = {*IpAddress::Parse("192.0.2.7")},
      .load_balancer_ips = {*IpAddress::Parse("198.51.100.1")},
      .source_ranges = {*Cidr::Parse("203.0.113.0/24")},
      .external_policy = TrafficPolicy::kLocal,
      .affinity_timeout_s = 600,
      .health_check_node_port = 32100,
      .ports = {{.name = "http", .port = 80, .node_port = 30080},
                {.name = "dns", .protocol = SHUNT_UDP, .port = 53}}};
  EXPECT_EQ(decoded.object, expected);
}

TEST(ServiceDecoder, TheShortestServiceIsTcpInTheDefaultNamespace) {
  const auto decoded =
      DecodeOne<Service>(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},)"
                         R"("spec":{"clusterIP":"10.96.0.10","ports":[{"port":80}]}})");
  EXPECT_THAT(decoded.problems, IsEmpty());
  EXPECT_EQ(decoded.object.meta.name.ToString(), "default/web");
  EXPECT_THAT(Texts(decoded.object.ports), ElementsAre(":80/TCP"));
  EXPECT_THAT(Texts(decoded.object.cluster_ips), ElementsAre("10.96.0.10"));
}

// What kube-proxy does not read decides nothing here either, whatever it says; an
// object that is being deleted is served until it is gone.
TEST(ServiceDecoder, FieldsThatDecideNothingMayHoldAnything) {
  const auto decoded = DecodeOne<Service>(R"(apiVersion: v1
kind: Service
metadata:
  name: web
  deletionTimestamp: "2025-11-23T07:00:00Z"
  finalizers: [service.kubernetes.io/load-balancer-cleanup]
spec:
  clusterIPs: ["fd00::1", 10.96.0.1]
  ipFamilies: [IPv4]
  ipFamilyPolicy: Whatever
  allocateLoadBalancerNodePorts: false
  loadBalancerClass: example.org/lb
  loadBalancerIP: nonsense
  publishNotReadyAddresses: true
  trafficDistribution: PreferNobody
  selector: {a: b}
  ports: [{port: 80, targetPort: [nonsense], appProtocol: {a: 1}}]
)");
  EXPECT_THAT(decoded.problems, IsEmpty());
  EXPECT_THAT(Texts(decoded.object.cluster_ips), ElementsAre("fd00::1", "10.96.0.1"));
  EXPECT_THAT(Texts(decoded.object.ports), ElementsAre(":80/TCP"));
}

TEST(ServiceDecoder, OnlyAnIngressThatTheNodeHasToTranslateIsTaken) {
  const auto decoded = DecodeSpec(R"(  type: LoadBalancer
status:
  loadBalancer:
    ingress:
    - {ip: 203.0.113.1}
    - {ip: 203.0.113.2, ipMode: VIP}
    - {ip: 203.0.113.3, ipMode: Proxy}
    - {ip: 203.0.113.4, ipMode: Other}
    - {hostname: lb.example.org}
    - {ip: ""}
    - {ip: nonsense}
    - 203.0.113.5
)");
  EXPECT_THAT(Texts(decoded.object.load_balancer_ips), ElementsAre("203.0.113.1", "203.0.113.2"));
  EXPECT_THAT(decoded.problems, ElementsAre(HasSubstr("ingress[6].ip: \"nonsense\" is not an IP"),
                                            HasSubstr("ingress[7]: \"203.0.113.5\" is a text")));
}

TEST(ServiceDecoder, AServiceWithoutAVirtualIpIsNoProblem) {
  for (const char* spec :
       {"  clusterIP: None\n  clusterIPs: [None]\n", "  clusterIP: ''\n", "  clusterIP:\n",
        "  ports: []\n", "  type: ExternalName\n  externalName: x.org\n  clusterIP: 10.96.0.1\n"}) {
    const auto decoded = DecodeSpec(spec);
    EXPECT_TRUE(decoded.usable) << spec;
    EXPECT_THAT(decoded.problems, IsEmpty()) << spec;
    EXPECT_THAT(decoded.object.cluster_ips, IsEmpty()) << spec;
  }
}

TEST(ServiceDecoder, LeadingZerosAndMappedAddressesAreIpv4) {
  EXPECT_THAT(Texts(DecodeSpec("  clusterIP: 010.96.000.1\n").object.cluster_ips),
              ElementsAre("10.96.0.1"));
  EXPECT_THAT(Texts(DecodeSpec("  clusterIP: '::ffff:10.96.0.1'\n").object.cluster_ips),
              ElementsAre("10.96.0.1"));
}

TEST(ServiceDecoder, AnAddressThatCannotBeServedIsLeftOutAlone) {
  const auto decoded = DecodeSpec(
      "  clusterIPs: [127.0.0.1, 'fd00::1']\n"
      "  externalIPs: [0.0.0.0, 192.0.2.1, abc, 5]\n");
  ASSERT_TRUE(decoded.usable);
  EXPECT_THAT(Texts(decoded.object.cluster_ips), ElementsAre("fd00::1"));
  EXPECT_THAT(Texts(decoded.object.external_ips), ElementsAre("192.0.2.1"));
  EXPECT_THAT(
      decoded.problems,
      ElementsAre("web.yaml:5: Service shop/web: spec.clusterIPs[0]: 127.0.0.1 is a loopback "
                  "address, which no Service, endpoint or node may have",
                  HasSubstr("spec.externalIPs[0]: 0.0.0.0 is the unspecified address"),
                  HasSubstr("spec.externalIPs[2]: \"abc\" is not an IP address"),
                  HasSubstr("spec.externalIPs[3]: 5 is a number")));
}

TEST(ServiceDecoder, APortThatCannotBeServedIsLeftOutAlone) {
  const auto decoded = DecodeSpec(R"(  ports:
  - {name: a, port: 0}
  - {name: b, port: 70000}
  - {name: c, port: -1}
  - {name: d, port: abc}
  - {name: e, port: "80"}
  - {name: f}
  - {name: g, port: 1.5}
  - {name: h, port: 99999999999999999999}
  - {name: i, port: 80, protocol: tcp}
  - 80
  - {name: good, port: 443}
)");
  ASSERT_TRUE(decoded.usable);
  EXPECT_THAT(Texts(decoded.object.ports), ElementsAre("good:443/TCP"));
  EXPECT_THAT(
      decoded.problems,
      ElementsAre(
          "web.yaml:6: Service shop/web: spec.ports[0].port: 0 is not a port (1 to 65535)",
          "web.yaml:7: Service shop/web: spec.ports[1].port: 70000 is not a port (1 to 65535)",
          "web.yaml:8: Service shop/web: spec.ports[2].port: -1 is not a port (1 to 65535)",
          "web.yaml:9: Service shop/web: spec.ports[3].port: \"abc\" is a text, a whole number is "
          "expected",
          "web.yaml:10: Service shop/web: spec.ports[4].port: \"80\" is a text, a number (write it "
          "without quotation marks) is expected",
          "web.yaml:11: Service shop/web: spec.ports[5].port: is missing",
          "web.yaml:12: Service shop/web: spec.ports[6].port: 1.5 is a number, a whole number is "
          "expected",
          HasSubstr("spec.ports[7].port: 99999999999999999999 is a number"),
          HasSubstr("spec.ports[8].protocol: \"tcp\" is not a protocol"),
          HasSubstr("spec.ports[9]: 80 is a number, a map is expected")));
}

TEST(ServiceDecoder, AWrongNodePortCostsTheNodePortOnly) {
  const auto decoded = DecodeSpec("  ports: [{port: 80, nodePort: 70000}]\n");
  ASSERT_THAT(decoded.object.ports, SizeIs(1));
  EXPECT_EQ(decoded.object.ports[0].node_port, 0);
  EXPECT_THAT(decoded.problems, ElementsAre(HasSubstr("spec.ports[0].nodePort: 70000 is not")));
}

TEST(ServiceDecoder, TheSameNumberMayBeServedInEveryProtocol) {
  const auto decoded = DecodeSpec(R"(  ports:
  - {name: dns, port: 53, protocol: TCP}
  - {name: dns-udp, port: 53, protocol: UDP}
  - {name: dns-sctp, port: 53, protocol: SCTP}
  - {name: again, port: 53, protocol: UDP}
  - {name: dns, port: 54}
)");
  EXPECT_THAT(Texts(decoded.object.ports),
              ElementsAre("dns:53/TCP", "dns-udp:53/UDP", "dns-sctp:53/SCTP"));
  EXPECT_THAT(decoded.problems,
              ElementsAre(HasSubstr("spec.ports[3]: port 53/UDP for a second time"),
                          HasSubstr("spec.ports[4]: a second TCP port named \"dns\"")));
}

TEST(ServiceDecoder, AMisspelledFieldIsPointedOut) {
  const auto decoded = DecodeSpec(
      "  clusterIp: 10.96.0.1\n  somethingNewer: 1\n  ports: [{port: 80, targetport: 8080}]\n");
  EXPECT_TRUE(decoded.usable);
  EXPECT_THAT(
      decoded.problems,
      ElementsAre("web.yaml:5: Service shop/web: spec.clusterIp: is unknown and ignored; "
                  "clusterIP may be meant",
                  HasSubstr("spec.ports[0].targetport: is unknown and ignored; targetPort")));
}

TEST(ServiceDecoder, AThousandPortsAreFine) {
  std::string spec = "  ports:\n";
  for (int i = 1; i <= 1000; ++i) {
    spec += "  - {name: p" + std::to_string(i) + ", port: " + std::to_string(i) + "}\n";
  }
  EXPECT_THAT(DecodeSpec(spec).object.ports, SizeIs(1000));
}

TEST(ServiceDecoder, AnObjectOfTheWrongShapeIsNotTakenAtAll) {
  for (const char* spec : {"  ports: 80\n", "  clusterIPs: 10.96.0.1\n", "  - 1\n",
                           "  loadBalancerSourceRanges: 10.0.0.0/8\n", "  type: [ClusterIP]\n",
                           "  internalTrafficPolicy: 5\n"}) {
    const auto decoded = DecodeSpec(spec);
    EXPECT_FALSE(decoded.usable) << spec;
    EXPECT_THAT(decoded.problems, SizeIs(testing::Ge(1))) << spec;
  }
  const auto no_spec =
      DecodeOne<Service>("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspce: {}\n");
  EXPECT_FALSE(no_spec.usable);
  EXPECT_THAT(no_spec.problems, ElementsAre(HasSubstr("Service default/web: spec: is missing")));
}

TEST(ServiceDecoder, SourceRangesNeverOpenByMistake) {
  const auto unreadable = DecodeSpec("  loadBalancerSourceRanges: [abc, 10.0.0.0/33, '']\n");
  EXPECT_TRUE(unreadable.object.has_unreadable_sources);
  EXPECT_THAT(unreadable.problems, SizeIs(3));
  const auto padded = DecodeSpec("  loadBalancerSourceRanges: [' 10.0.0.1/8 ', abc]\n");
  EXPECT_TRUE(padded.object.has_unreadable_sources);
  EXPECT_THAT(padded.object.source_ranges, ElementsAre(*Cidr::Parse("10.0.0.0/8")));
  EXPECT_THAT(
      DecodeSpec("  loadBalancerSourceRanges: [10.0.0.0/8, 0.0.0.0/0]\n").object.source_ranges,
      IsEmpty());
}

TEST(ServiceDecoder, UnknownWordsFallBackToTheDefaultAndSaySo) {
  const auto decoded = DecodeSpec(
      "  sessionAffinity: Cookie\n  externalTrafficPolicy: Foo\n  type: Magic\n  clusterIP: "
      "10.0.0.1\n");
  ASSERT_TRUE(decoded.usable);
  EXPECT_EQ(decoded.object.affinity_timeout_s, std::nullopt);
  EXPECT_EQ(decoded.object.external_policy, TrafficPolicy::kCluster);
  EXPECT_THAT(Texts(decoded.object.cluster_ips), ElementsAre("10.0.0.1"));
  EXPECT_THAT(decoded.problems, SizeIs(3));
}

TEST(ServiceDecoder, AffinityLastsThreeHoursUnlessItSaysOtherwise) {
  EXPECT_EQ(DecodeSpec("  sessionAffinity: ClientIP\n").object.affinity_timeout_s, 10800u);
  const auto wrong = DecodeSpec(
      "  sessionAffinity: ClientIP\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}\n");
  EXPECT_EQ(wrong.object.affinity_timeout_s, 10800u);
  EXPECT_THAT(wrong.problems, SizeIs(1));
}

TEST(ServiceDecoder, LabelsAndAnnotationsHandAServiceToOthers) {
  const auto decoded = DecodeOne<Service>(R"(apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {service.kubernetes.io/service-proxy-name: }
  annotations:
    service.shunt/exclude: "true"
    service.shunt/on-backend-removal: immediate
spec: {}
)");
  EXPECT_THAT(decoded.problems, IsEmpty());
  EXPECT_TRUE(decoded.object.ignored_by_label);
  EXPECT_TRUE(decoded.object.excluded);
  EXPECT_EQ(decoded.object.on_backend_removal, BackendRemoval::kImmediate);
}

TEST(ServiceDecoder, TheLabelHeadlessHandsAServiceToOthersToo) {
  const auto decoded = DecodeOne<Service>(
      "apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: "
      "{service.kubernetes.io/headless: ''}}\nspec: {clusterIP: 10.96.0.1}\n");
  EXPECT_TRUE(decoded.object.ignored_by_label);
}

TEST(ServiceDecoder, WithoutAValidNameThereIsNoService) {
  for (const char* metadata :
       {"{}", "{name: }", "{name: Web_1}", "{name: 5}", "{name: [web]}", "web",
        "{name: web, namespace: a.b}", "{name: web, namespace: ''}"}) {
    const auto decoded = DecodeOne<Service>(
        std::string("apiVersion: v1\nkind: Service\nmetadata: ") + metadata + "\nspec: {}\n");
    EXPECT_FALSE(decoded.usable) << metadata;
    EXPECT_THAT(decoded.problems, SizeIs(1)) << metadata;
  }
}

}  // namespace
}  // namespace shunt
