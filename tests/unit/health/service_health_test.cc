// SPDX-License-Identifier: Apache-2.0
#include "userspace/health/service_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "absl/strings/str_cat.h"
#include "tests/support/http_client.h"

namespace shunt {
namespace {

using testing::HasSubstr;

constexpr char kNode[] = "node-a";

Service LoadBalancer(uint16_t health_port) {
  return {.meta = {.name = {"shop", "web"}},
          .type = ServiceType::kLoadBalancer,
          .cluster_ips = {*IpAddress::Parse("10.96.0.10")},
          .external_policy = TrafficPolicy::kLocal,
          .health_check_node_port = health_port,
          .ports = {{.port = 80}}};
}

Endpoint EndpointAt(const char* address, const std::string& node = kNode) {
  return {.address = *IpAddress::Parse(address), .node_name = node};
}

std::shared_ptr<const EndpointSlice> SliceOf(std::vector<Endpoint> endpoints) {
  EndpointSlice slice = {.service = {"shop", "web"}, .ports = {{.port = 8080}}};
  slice.family = endpoints.empty() ? Family::kIpv4 : endpoints[0].address.family();
  slice.endpoints = std::move(endpoints);
  return std::make_shared<const EndpointSlice>(std::move(slice));
}

ServiceInput Input(const Service& service, std::vector<Endpoint> endpoints) {
  return {.service = std::make_shared<const Service>(service),
          .slices = {SliceOf(std::move(endpoints))}};
}

class ServiceHealthTest : public testing::Test {
 protected:
  void Update(const NamespacedName& name, ServiceInput input) {
    health_.Update({.services = {{name, std::move(input)}}});
  }
  void UpdateWeb(const Service& service, std::vector<Endpoint> endpoints) {
    Update({"shop", "web"}, Input(service, std::move(endpoints)));
  }
  std::string Ask() const { return Fetch(port_, "/any/path"); }

  const uint16_t port_ = FreePort();
  ProxyHealth proxy_{{.serves_outside = true}};
  std::unique_ptr<HttpServer> server_ = HttpServer::Start().value();
  std::vector<std::string> taken_;
  ServiceHealth health_{
      *server_, proxy_, kNode,
      [this](const NamespacedName& service, const HttpAddress& address, const absl::Status& why) {
        taken_.push_back(
            absl::StrCat(service.ToString(), " ", address.ToString(), ": ", why.message()));
      }};
};

TEST_F(ServiceHealthTest, AnswersVerbatimAsKubeProxy) {
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.1.5")});
  const std::string answer = Ask();
  EXPECT_EQ(StatusLine(answer), "HTTP/1.1 200 OK");
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Load-Balancing-Endpoint-Weight: 1\r\n"));
  EXPECT_EQ(BodyOf(answer),
            "{\n\t\"service\": {\n\t\t\"namespace\": \"shop\",\n\t\t\"name\": \"web\"\n\t},\n"
            "\t\"localEndpoints\": 1,\n\t\"serviceProxyHealthy\": true\n}");
}

TEST_F(ServiceHealthTest, ANodeWithoutEndpointsIsSkippedByLoadBalancers) {
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.2.5", "node-b")});
  EXPECT_THAT(StatusLine(Ask()), HasSubstr("503"));
  EXPECT_THAT(Ask(), HasSubstr("X-Load-Balancing-Endpoint-Weight: 0\r\n"));
}

TEST_F(ServiceHealthTest, EndpointsThatOnlyDrainAttractNoNewTraffic) {
  Endpoint terminating = EndpointAt("10.244.1.5");
  terminating.ready = false;
  terminating.terminating = true;
  UpdateWeb(LoadBalancer(port_), {terminating});
  EXPECT_THAT(StatusLine(Ask()), HasSubstr("503"));
}

TEST_F(ServiceHealthTest, AnUnhealthyProxyAnswers503) {
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.1.5")});
  proxy_.Updated(absl::Now() - absl::Minutes(3));
  proxy_.Queued(absl::Now() - absl::Minutes(2));
  const std::string answer = Ask();
  EXPECT_THAT(StatusLine(answer), HasSubstr("503"));
  EXPECT_THAT(answer, HasSubstr("\"localEndpoints\": 1,\n\t\"serviceProxyHealthy\": false"));
}

TEST_F(ServiceHealthTest, AServiceThatGoesOrChangesItsPolicyClosesItsPort) {
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.1.5")});
  Service cluster = LoadBalancer(port_);
  cluster.external_policy = TrafficPolicy::kCluster;
  UpdateWeb(cluster, {EndpointAt("10.244.1.5")});
  EXPECT_FALSE(ConnectTo(port_).ok());
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.1.5")});
  EXPECT_TRUE(ConnectTo(port_).ok());
  Update({"shop", "web"}, {});
  EXPECT_FALSE(ConnectTo(port_).ok());
}

TEST_F(ServiceHealthTest, AnotherPortIsServedInPlaceOfTheOldOne) {
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.1.5")});
  const uint16_t other = FreePort();
  UpdateWeb(LoadBalancer(other), {EndpointAt("10.244.1.5")});
  EXPECT_FALSE(ConnectTo(port_).ok());
  EXPECT_THAT(StatusLine(Fetch(other, "/")), HasSubstr("200"));
}

TEST_F(ServiceHealthTest, OfTwoServicesWithOnePortTheFirstByNameAnswers) {
  Service other = LoadBalancer(port_);
  other.meta.name = {"shop", "zebra"};
  Update(other.meta.name, Input(other, {}));
  EXPECT_THAT(Ask(), HasSubstr("\"name\": \"zebra\""));
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.1.5")});
  EXPECT_THAT(Ask(), HasSubstr("\"name\": \"web\""));
  Update({"shop", "web"}, {});
  EXPECT_THAT(Ask(), HasSubstr("\"name\": \"zebra\""));
}

TEST_F(ServiceHealthTest, ListensOnTheNodePortAddressesOnly) {
  health_.SetAddresses({*IpAddress::Parse("127.0.0.2")});
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.1.5")});
  EXPECT_FALSE(ConnectTo(port_).ok());
  health_.SetAddresses({*IpAddress::Parse("127.0.0.2"), *IpAddress::Parse("127.0.0.1")});
  EXPECT_THAT(StatusLine(Ask()), HasSubstr("200"));
}

TEST_F(ServiceHealthTest, APortThatIsTakenIsToldOnceWithTheServiceThatWantsIt) {
  const auto other = HttpServer::Start().value();
  ASSERT_TRUE(other->Open(Loopback(port_), [](const HttpRequest&) { return HttpResponse(); }).ok());
  health_.SetAddresses({*IpAddress::Parse("127.0.0.1")});
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.1.5")});
  UpdateWeb(LoadBalancer(port_), {EndpointAt("10.244.1.6")});
  EXPECT_THAT(taken_,
              testing::ElementsAre(HasSubstr(absl::StrCat("shop/web 127.0.0.1:", port_, ": "))));
}

std::vector<uint16_t> FreePorts(size_t count) {
  std::vector<uint16_t> ports;
  for (uint16_t port = 22'000; ports.size() < count; ++port) {
    if (ListenOn(Loopback(port)).ok()) ports.push_back(port);
  }
  return ports;
}

TEST_F(ServiceHealthTest, SilentClientsAtAThousandPortsKeepNoLoadBalancerFromItsAnswer) {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 3000) GTEST_SKIP() << "needs 3,000 file descriptors";
  const std::vector<uint16_t> ports = FreePorts(1000);
  ClusterChanges changes;
  for (const uint16_t port : ports) {
    Service service = LoadBalancer(port);
    service.meta.name.name = absl::StrCat("web-", port);
    changes.services[service.meta.name] = Input(service, {EndpointAt("10.244.1.5")});
  }
  health_.Update(changes);
  std::vector<UniqueFd> silent;
  for (const uint16_t port : ports) silent.push_back(ConnectTo(port));
  for (const uint16_t port : ports) {
    const std::string answer = Fetch(port, "/");
    ASSERT_THAT(StatusLine(answer), HasSubstr("200")) << port;
    ASSERT_THAT(answer, HasSubstr(absl::StrCat("\"name\": \"web-", port, "\"")));
  }
}

TEST(CountLocalEndpoints, CountsDistinctAddressesOfEachFamily) {
  ServiceInput input = Input(LoadBalancer(1), {EndpointAt("10.244.1.5"), EndpointAt("10.244.1.6"),
                                               EndpointAt("10.244.2.5", "node-b")});
  input.slices.push_back(SliceOf({EndpointAt("10.244.1.6")}));
  input.slices.push_back(SliceOf({EndpointAt("fd00::1")}));
  EXPECT_EQ(CountLocalEndpoints(input, kNode), (LocalEndpoints{.ipv4 = 2, .ipv6 = 1}));
}

TEST(HealthCheckNodePort, IsForLoadBalancersWithThePolicyLocalThatAreOurs) {
  EXPECT_EQ(HealthCheckNodePort(LoadBalancer(30'100)), 30'100);
  EXPECT_EQ(HealthCheckNodePort(LoadBalancer(0)), std::nullopt);
  for (const auto& change : std::vector<std::function<void(Service&)>>{
           [](Service& s) { s.type = ServiceType::kNodePort; },
           [](Service& s) { s.external_policy = TrafficPolicy::kCluster; },
           [](Service& s) { s.cluster_ips.clear(); }, [](Service& s) { s.excluded = true; },
           [](Service& s) { s.ignored_by_label = true; }}) {
    Service service = LoadBalancer(30'100);
    change(service);
    EXPECT_EQ(HealthCheckNodePort(service), std::nullopt);
  }
}

}  // namespace
}  // namespace shunt
