// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/datapath_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/state/state_builder.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ServicePortName, ReadsAsPeopleWriteIt) {
  EXPECT_EQ((ServicePortName{"shop", "web", "http"}).ToString(), "shop/web:http");
  EXPECT_EQ((ServicePortName{"shop", "web", ""}).ToString(), "shop/web");
}

TEST(FrontendKey, ReadsAsPeopleWriteIt) {
  EXPECT_EQ(Key("10.96.0.10", 80).ToString(), "10.96.0.10:80/TCP");
  EXPECT_EQ(Key("fd00::1", 53, SHUNT_UDP).ToString(), "[fd00::1]:53/UDP");
  EXPECT_EQ(Key("10.96.0.10", 9, SHUNT_SCTP).ToString(), "10.96.0.10:9/SCTP");
}

TEST(FrontendKey, OfAStrangerInTheMapsStaysReadable) {
  EXPECT_EQ(Key("10.96.0.10", 80, static_cast<shunt_protocol>(99)).ToString(),
            "10.96.0.10:80/protocol-99");
}

TEST(FrontendKey, StandsInTheMapsWithPortInHostOrderAndAddressInNetworkOrder) {
  const shunt_frontend_key key = Key("10.96.0.10", 80, SHUNT_UDP).ToAbi();
  EXPECT_EQ(key.port, 80);
  EXPECT_EQ(key.protocol, SHUNT_UDP);
  EXPECT_EQ(key.scope, SHUNT_SCOPE_NODE);
  EXPECT_THAT(key.address.bytes,
              ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 96, 0, 10));
}

TEST(FrontendKey, SurvivesTheWayThroughTheMaps) {
  FrontendKey key = Key("fd00::1", 65535, SHUNT_SCTP);
  key.scope = SHUNT_SCOPE_OUTSIDE;
  EXPECT_EQ(FrontendKey::FromAbi(key.ToAbi()), key);
}

TEST(ServicePortState, AFrontendChoosesFromItsOwnListAndFamilyOnly) {
  const Frontend v4{.key = Key("10.96.0.10", 80)};
  const Frontend v6{.key = Key("fd00::1", 80)};
  const Frontend local{.key = Key("10.96.0.11", 80), .list = BackendList::kLocal};
  const Backend everywhere{
      .address = Ip("10.0.0.3"), .port = 80, .in_cluster_list = true, .in_local_list = true};
  const ServicePortStatePtr state =
      Port({v4, local, v6},
           {Draining("10.0.0.1", 80), Chosen("10.0.0.2", 80), everywhere, Chosen("fd00:1::1", 80)});

  EXPECT_THAT(state->ListOf(v4), ElementsAre(Chosen("10.0.0.2", 80), everywhere));
  EXPECT_THAT(state->ListOf(v6), ElementsAre(Chosen("fd00:1::1", 80)));
  EXPECT_THAT(state->ListOf(local), ElementsAre(everywhere));
}

TEST(ServicePortState, AFrontendWithoutBackendsOfItsFamilyHasAnEmptyList) {
  const Frontend v6{.key = Key("fd00::1", 80)};
  EXPECT_THAT(Port({v6}, {Chosen("10.0.0.2", 80)})->ListOf(v6), IsEmpty());
}

}  // namespace
}  // namespace shunt
