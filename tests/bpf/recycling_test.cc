// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/bpf/socket_storage.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"

namespace shunt::testing {
namespace {

// The kernel may give the memory of a deleted frontend to the next one at
// once, while a program on another CPU still reads it. That needs an interrupt
// at the right moment, so here two frontends take each other's place as fast
// as they can, and one of them is dialled all the time. (Without the tag in
// struct shunt_owner about every second run fails.)
class Recycling : public DatapathTest {};

TEST_F(Recycling, AFrontendIsNeverReadAsTheOneThatTookItsMemory) {
  const HostPort a = HostPort::Of("10.96.0.1:53"), b = HostPort::Of("10.96.0.2:53");
  const HostPort pod_of_a = HostPort::Of("10.244.1.1:53"), pod_of_b = HostPort::Of("10.244.1.2:53");
  Serve({pod_of_a, pod_of_b}, SHUNT_UDP);
  Apply(std::vector<ServiceSpec>{{"a", SHUNT_UDP, {a}, {pod_of_a}},
                                 {"b", SHUNT_UDP, {b}, {pod_of_b}}});
  absl::StatusOr<SocketStorage> storage = SocketStorage::Open(bpffs());
  ASSERT_TRUE(storage.ok()) << storage.status();
  const auto frontends = datapath().maps().Frontends();
  ASSERT_TRUE(frontends.ok() && frontends->size() == 2) << frontends.status();

  std::atomic<bool> stop = false;
  uint64_t reached_a = 0, reached_other = 0;
  std::thread reader([&] {
    UniqueFd socket = OpenSocket(a, {.transport = Transport::kUdp});
    while (!stop) {
      if (Connect(socket.get(), a) != 0) continue;  // it is not there just now
      const auto noted = storage->Read(socket.get());
      ++(noted.has_value() && ToHostPort(noted->got) == pod_of_a ? reached_a : reached_other);
    }
  });
  MapStore& maps = datapath().maps();
  for (int i = 0; i < 600'000; ++i) {
    const auto& [leaving_key, leaving] = (*frontends)[i % 2];
    const auto& [coming_key, coming] = (*frontends)[1 - i % 2];
    if (!maps.DeleteFrontend(leaving_key).ok() || !maps.PutFrontend(coming_key, coming).ok()) break;
  }
  stop = true;
  reader.join();
  EXPECT_EQ(reached_other, 0u);
  EXPECT_GT(reached_a, 1000u);
  printf("%lu connections to the frontend that comes and goes\n", reached_a);
}

}  // namespace
}  // namespace shunt::testing
