// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/planner/cluster_builder.h"
#include "userspace/api/explain_connect.h"
#include "userspace/api/explain_service.h"
#include "userspace/base/netns.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// --- A Service

TEST(ExplainServiceResponse, HasTheProblemsOfTheServiceAndOfItsSlicesAlone) {
  const ServiceInput input = Input(MakeService("web", {"10.96.0.1"}), {MakeSlice("web-1", {})});
  AgentView view;
  view.problems = {{.object = "EndpointSlice shop/web-1", .field = "endpoints[0]"},
                   {.object = "EndpointSlice shop/web-2", .field = "another's"},
                   {.object = "Service shop/web", .field = "spec.ports[1]"},
                   {.object = "Service shop/web2", .field = "another's"}};
  view.pending = {"shop/web: map shunt_frontends is full", "shop/web2: likewise"};
  const v1::ExplainServiceResponse response = ExplainServiceResponse(view, input);
  ASSERT_THAT(response.problems(), SizeIs(2));
  EXPECT_EQ(response.problems(0).field(), "endpoints[0]");
  EXPECT_EQ(response.problems(1).field(), "spec.ports[1]");
  EXPECT_THAT(response.pending(), ::testing::ElementsAre("shop/web: map shunt_frontends is full"));
}

TEST(ExplainServiceResponse, FitsIntoAMessageWhateverTheServiceHolds) {
  Service service = MakeService("web", {"10.96.0.1"});
  service.ports.clear();
  auto slice = MakeSlice("web-1", {});
  for (uint16_t port = 1; port <= 100; ++port) {
    const std::string name = absl::StrCat("p", port);
    service.ports.push_back({.name = name, .port = port});
    slice->ports.push_back({.name = name, .port = port});
  }
  for (int i = 0; i < 1000; ++i) {
    slice->endpoints.push_back(
        Ready(absl::StrCat("10.244.", i / 250, ".", i % 250), std::string(60, 'n')));
  }
  const auto response = ExplainServiceResponse(AgentView(), Input(service, {slice}));
  EXPECT_LT(response.ByteSizeLong(), size_t{4} << 20);
  EXPECT_EQ(response.ports(99).endpoint_count(), 1000u) << "that some are not said is said";
}

// --- A connect

class ExplainConnectTest : public ::testing::Test {
 protected:
  static v1::ExplainConnectRequest To(const std::string& address, uint32_t port) {
    v1::ExplainConnectRequest request;
    request.set_address(address);
    request.set_port(port);
    request.set_protocol(v1::PROTOCOL_TCP);
    return request;
  }

  static v1::ExplainConnectRequest FromPod(v1::ExplainConnectRequest request) {
    request.mutable_client()->set_is_pod(true);
    request.mutable_client()->set_netns_cookie(kPod);
    request.mutable_client()->set_address("10.244.1.1");
    request.mutable_client()->add_cgroup_ids(77);
    return request;
  }

  static Frontend Front(std::string_view address, uint16_t port) {
    return {.key = {.address = Ip(address), .port = port}};
  }

  v1::ExplainConnectResponse Ask(const v1::ExplainConnectRequest& request) {
    const DatapathState state = {{kWeb, std::make_shared<const ServicePortState>(port_)}};
    absl::StatusOr<v1::ExplainConnectResponse> response =
        ExplainConnect(request, {.state = state,
                                 .socket_lb = socket_lb_,
                                 .refusal = "ECONNREFUSED",
                                 .opt_outs = opt_outs_,
                                 .affinity = affinity_});
    EXPECT_TRUE(response.ok()) << response.status();
    return response.value_or(v1::ExplainConnectResponse());
  }

  static constexpr uint64_t kPod = ~uint64_t{0};  // the cookie of no namespace
  const ServicePortName kWeb{"shop", "web", "http"};
  ServicePortState port_{
      .frontends = {Front("10.96.0.10", 80), Front("10.96.0.11", 80)},
      .backends = {{.address = Ip("10.244.1.5"), .port = 8080, .in_cluster_list = true},
                   {.address = Ip("10.244.1.6"), .port = 8080},
                   {.address = Ip("10.244.1.7"), .port = 8080, .in_cluster_list = true}}};
  std::string socket_lb_ = "all";
  std::vector<uint64_t> opt_outs_;
  std::vector<AffinityClient> affinity_;
};

TEST_F(ExplainConnectTest, NamesTheServiceTheListAndTheChances) {
  const auto response = Ask(To("10.96.0.10", 80));
  EXPECT_EQ(response.verdict(), v1::VERDICT_TRANSLATED);
  EXPECT_EQ(response.service().name(), "web");
  EXPECT_EQ(response.choices(), 2u);
  EXPECT_EQ(response.error(), "");
  EXPECT_THAT(response.reason(), HasSubstr("one of 2 backends"));
  EXPECT_THAT(response.endpoints(), SizeIs(3));
  EXPECT_EQ(response.client().netns_cookie(), OwnNetnsCookie());
}

TEST_F(ExplainConnectTest, SaysThatNobodyHasIt) {
  const auto response = Ask(To("10.96.0.10", 81));
  EXPECT_EQ(response.verdict(), v1::VERDICT_NOT_A_SERVICE);
  EXPECT_FALSE(response.has_frontend());
  ASSERT_THAT(response.others(), SizeIs(1));
  EXPECT_EQ(response.others(0).port(), 80u);
}

TEST_F(ExplainConnectTest, RecognisesABackendThatIsDialledDirectly) {
  EXPECT_EQ(Ask(To("10.244.1.5", 8080)).backend_of(), "shop/web:http");
}

TEST_F(ExplainConnectTest, SaysWhyAClientIsLeftAlone) {
  opt_outs_ = {5, 77};
  EXPECT_THAT(Ask(FromPod(To("10.96.0.10", 80))).reason(), HasSubstr("opted out"));
  EXPECT_EQ(Ask(To("10.96.0.10", 80)).verdict(), v1::VERDICT_TRANSLATED) << "the host did not";
  opt_outs_.clear();
  socket_lb_ = "host";
  EXPECT_EQ(Ask(FromPod(To("10.96.0.10", 80))).verdict(), v1::VERDICT_LEFT_ALONE);
  EXPECT_EQ(Ask(To("10.96.0.10", 80)).verdict(), v1::VERDICT_TRANSLATED);
  socket_lb_ = "off";
  EXPECT_EQ(Ask(To("10.96.0.10", 80)).verdict(), v1::VERDICT_LEFT_ALONE);
}

TEST_F(ExplainConnectTest, SaysWhomTheSourceRangesDeny) {
  port_.frontends[0].checks_source = true;
  port_.sources = {*Cidr::Parse("10.0.0.0/9")};
  const auto denied = Ask(FromPod(To("10.96.0.10", 80)));
  EXPECT_EQ(denied.verdict(), v1::VERDICT_SOURCE_DENIED);
  EXPECT_EQ(denied.error(), "ETIMEDOUT");
  EXPECT_THAT(denied.reason(), HasSubstr("does not name 10.244.1.1"));
  port_.sources = {*Cidr::Parse("10.244.0.0/16")};
  EXPECT_EQ(Ask(FromPod(To("10.96.0.10", 80))).verdict(), v1::VERDICT_TRANSLATED);
}

TEST_F(ExplainConnectTest, KnowsTheBackendThatThisClientHasAndNoOther) {
  port_.affinity_timeout_s = 10;
  affinity_ = {{.service = kWeb,
                .netns_cookie = kPod,
                .address = Ip("0.0.0.0"),
                .backend = Backend{.address = Ip("10.244.1.7"), .port = 8080},
                .idle_s = 1,
                .timeout_s = 10}};
  EXPECT_EQ(Ask(FromPod(To("10.96.0.10", 80))).kept().address(), "10.244.1.7");
  EXPECT_FALSE(Ask(To("10.96.0.10", 80)).has_kept());
  affinity_[0].address = Ip("::");
  EXPECT_FALSE(Ask(FromPod(To("10.96.0.10", 80))).has_kept()) << "that of the other family";
}

TEST_F(ExplainConnectTest, RejectsWhatCannotBeDialled) {
  const DatapathState state;
  for (const auto& request : {To("10.96.0.1000", 80), To("10.96.0.10", 0), To("10.96.0.10", 70000),
                              v1::ExplainConnectRequest()}) {
    EXPECT_EQ(ExplainConnect(request, {.state = state}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(ExplainConnectTest, GetsTheReasonsOfTheSameServicePort) {
  port_.frontends.resize(1);
  auto response = Ask(To("10.96.0.10", 80));
  Service service = MakeService("web", {"10.96.0.10"});
  service.ports[0].name = "http";
  auto slice = MakeSlice("web-1", {Ready("10.244.1.5"), NotReady("10.244.1.6")});
  slice->ports[0].name = "http";
  AddReasons(ExplainService(Input(service, {slice}), {.name = "node-a"}, {}), response);
  ASSERT_THAT(response.endpoints(), SizeIs(2));
  EXPECT_EQ(response.endpoints(1).cluster_fate(), "not ready");
  EXPECT_EQ(response.endpoints(1).slice(), "web-1");
}

}  // namespace
}  // namespace shunt
