// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/bpf/socket_storage.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"

namespace shunt::testing {
namespace {

class Choice : public DatapathTest {};

// Connects one UDP socket again and again, and counts what it got.
std::map<HostPort, uint64_t> CountChoices(const SocketStorage& storage, const HostPort& vip,
                                          int times) {
  std::map<HostPort, uint64_t> counts;
  UniqueFd socket = OpenSocket(vip, {.transport = Transport::kUdp});
  for (int i = 0; i < times; ++i) {
    if (Connect(socket.get(), vip) != 0) break;
    if (auto noted = storage.Read(socket.get())) ++counts[ToHostPort(noted->got)];
  }
  return counts;
}

double ChiSquare(const std::map<HostPort, uint64_t>& counts, double expected) {
  double sum = 0;
  for (const auto& [backend, count] : counts) {
    sum += (count - expected) * (count - expected) / expected;
  }
  return sum;
}

TEST_F(Choice, IsUniformOverAMillionConnections) {
  const HostPort vip = HostPort::Of("10.96.0.10:53");
  const std::vector<HostPort> pods = Range("10.244.1.1:5353", 10);
  Serve(pods, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"dns", SHUNT_UDP, {vip}, pods}});
  absl::StatusOr<SocketStorage> storage = SocketStorage::Open(bpffs());
  ASSERT_TRUE(storage.ok()) << storage.status();
  constexpr int kTimes = 1'000'000;
  const auto counts = CountChoices(*storage, vip, kTimes);
  ASSERT_EQ(counts.size(), pods.size());
  uint64_t sum = 0;
  for (const auto& [backend, count] : counts) sum += count;
  EXPECT_EQ(sum, static_cast<uint64_t>(kTimes));
  // 9 degrees of freedom: a fair choice exceeds this once in a million runs; a
  // pod that gets 2 % more than its share does on most.
  EXPECT_LT(ChiSquare(counts, kTimes / 10.0), 46.0);
}

}  // namespace
}  // namespace shunt::testing
