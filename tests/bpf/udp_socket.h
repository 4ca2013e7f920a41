// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BPF_UDP_SOCKET_H_
#define SHUNT_TESTS_BPF_UDP_SOCKET_H_

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"

namespace shunt::testing {

// The base of tests of UDP sockets.
class UdpTest : public DatapathTest {
 protected:
  UniqueFd Open(bool mapped = false) {
    return OpenSocket(vip_, {.transport = Transport::kUdp, .mapped = mapped});
  }

  // Services "s0", "s1", …, of one pod each.
  std::vector<ServiceSpec> OnePodServices(int count) {
    const std::vector<HostPort> pods = Range("10.244.1.1:5353", count);
    vips_ = Range("10.96.1.1:53", count);
    Serve(pods, SHUNT_UDP);
    std::vector<ServiceSpec> services;
    for (int i = 0; i < count; ++i) {
      services.push_back({"s" + std::to_string(i), SHUNT_UDP, {vips_[i]}, {pods[i]}});
      source_of_pod_[pods[i].ToString()] = vips_[i].ToString();
    }
    return services;
  }

  // Receives an answer and checks that it claims to come from the Service that
  // the answering pod belongs to. Returns that Service's address.
  std::string ReceiveFromAService(int socket) {
    const DialResult result = ReceiveFrom(socket);
    EXPECT_EQ(result.error, 0) << result.ToString();
    EXPECT_EQ(result.from, source_of_pod_[result.answer]) << result.ToString();
    return result.from;
  }

  const HostPort vip_ = HostPort::Of("10.96.0.53:53");
  const HostPort vip6_ = HostPort::Of("[fd00:10:96::53]:53");
  std::vector<HostPort> vips_;
  std::map<std::string, std::string> source_of_pod_;
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_BPF_UDP_SOCKET_H_
