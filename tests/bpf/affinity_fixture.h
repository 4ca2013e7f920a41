// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BPF_AFFINITY_FIXTURE_H_
#define SHUNT_TESTS_BPF_AFFINITY_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/bpf/socket_storage.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/net_namespace.h"

namespace shunt::testing {

// sessionAffinity ClientIP: a client at the socket is its network namespace.
// What was chosen is read from the socket; nobody has to listen.
class AffinityTest : public DatapathTest {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::vector<IpAddress> addresses;
    for (const HostPort& pod : pods_) addresses.push_back(pod.address);
    ASSERT_TRUE(AddLoopbackAddresses(addresses).ok());
  }

  // The Service at `frontends`, with these pods.
  void Offer(const std::vector<HostPort>& frontends, const std::vector<HostPort>& pods,
             uint32_t timeout_s) {
    DatapathState state = MakeState({{"dns", SHUNT_UDP, frontends, pods}});
    for (auto& [name, port] : state) {
      ServicePortState with = *port;
      with.affinity_timeout_s = timeout_s;
      port = std::make_shared<const ServicePortState>(with);
    }
    Apply(state);
    absl::StatusOr<SocketStorage> storage = SocketStorage::Open(bpffs());
    ASSERT_TRUE(storage.ok()) << storage.status();
    storage_ = std::make_unique<SocketStorage>(*std::move(storage));
  }

  // Whom a new connection of the calling thread's namespace gets; "" for nobody.
  std::string Choice(const HostPort& to) const {
    const UniqueFd socket = OpenSocket(to, {.transport = Transport::kUdp});
    if (Connect(socket.get(), to) != 0) return "";
    const auto noted = storage_->Read(socket.get());
    return noted.has_value() ? ToHostPort(noted->got).ToString() : "";
  }

  std::set<std::string> Choices(const HostPort& to, int times) const {
    std::set<std::string> choices;
    for (int i = 0; i < times; ++i) choices.insert(Choice(to));
    return choices;
  }

  const HostPort vip_ = HostPort::Of("10.96.0.10:53");
  const HostPort other_vip_ = HostPort::Of("203.0.113.5:53");
  const std::vector<HostPort> pods_ = Range("10.244.1.1:5353", 10);
  std::unique_ptr<SocketStorage> storage_;
};

// A network namespace with the pods' addresses, so that they have a route.
inline NetNamespace MakeClient(const std::vector<HostPort>& pods) {
  absl::StatusOr<NetNamespace> client = NetNamespace::Make();
  EXPECT_TRUE(client.ok()) << client.status();
  std::vector<IpAddress> addresses;
  for (const HostPort& pod : pods) addresses.push_back(pod.address);
  client->Run([&] { EXPECT_TRUE(AddLoopbackAddresses(addresses).ok()); });
  return *std::move(client);
}

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_BPF_AFFINITY_FIXTURE_H_
