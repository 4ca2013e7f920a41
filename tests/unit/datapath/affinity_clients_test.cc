// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/affinity_clients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/state/state_builder.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/memory_map_store.h"
#include "userspace/datapath/service_name.h"

namespace shunt {
namespace {

using ::testing::SizeIs;

// shop/web:http is service port 7, with backend 3 of generation 5.
class AffinityClients : public ::testing::Test {
 protected:
  AffinityClients() {
    EXPECT_TRUE(maps_.PutService(7, *EncodeServiceName(kWeb)).ok());
    const shunt_frontend frontend = {
        .owner = {.service_id = 7}, .affinity_timeout_s = 60, .kind = SHUNT_CLUSTER_IP};
    EXPECT_TRUE(maps_.PutFrontend(Key("10.96.0.10", 80).ToAbi(), frontend).ok());
    const shunt_backend backend = {.address = ToAbi(Ip("10.244.1.5")),
                                   .service_id = 7,
                                   .generation = 5,
                                   .port = 8080,
                                   .state = SHUNT_BACKEND_SERVING};
    EXPECT_TRUE(maps_.PutBackend(3, backend).ok());
  }

  std::vector<AffinityClient> Named(const AffinityEntry& entry) {
    return NameAffinity({entry}, maps_).value();
  }

  const ServicePortName kWeb{"shop", "web", "http"};
  MemoryMapStore maps_;
};

TEST_F(AffinityClients, HaveTheNamesOfTheirServicePortAndBackend) {
  const auto clients = Named({.service_id = 7, .netns_cookie = 9, .backend = {3, 5}});
  ASSERT_THAT(clients, SizeIs(1));
  EXPECT_EQ(clients[0].service, kWeb);
  EXPECT_EQ(clients[0].backend->ToString(), "10.244.1.5:8080");
  EXPECT_EQ(clients[0].timeout_s, 60u);
}

TEST_F(AffinityClients, OfABackendWhoseIdWasGivenToAnotherHaveNone) {
  EXPECT_FALSE(Named({.service_id = 7, .backend = {3, 4}})[0].backend.has_value());
  EXPECT_FALSE(Named({.service_id = 7, .backend = {99999, 5}})[0].backend.has_value());
}

TEST_F(AffinityClients, OfAServicePortThatIsGoneAreLeftOut) {
  EXPECT_THAT(Named({.service_id = 8, .backend = {3, 5}}), SizeIs(0));
}

}  // namespace
}  // namespace shunt
