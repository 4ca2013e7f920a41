// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_API_API_FIXTURE_H_
#define SHUNT_TESTS_UNIT_API_API_FIXTURE_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/api/fake_view_source.h"
#include "userspace/api/server.h"

namespace shunt {

// An API server on a socket in a directory of its own, and words for states.
class ApiFixture : public ::testing::Test {
 protected:
  ApiFixture() {
    char path[] = "/tmp/shunt-api-XXXXXX";
    directory_ = mkdtemp(path);
    socket_ = directory_ + "/run/shunt.sock";
  }
  ~ApiFixture() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  void StartServer() {
    absl::StatusOr<std::unique_ptr<ApiServer>> server = ApiServer::Start(socket_, agent_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  static IpAddress Ip(std::string_view text) { return IpAddress::Parse(text).value(); }

  static Frontend Dialled(std::string_view address, uint16_t port,
                          shunt_protocol protocol = SHUNT_TCP) {
    return {.key = {.address = Ip(address), .port = port, .protocol = protocol}};
  }
  static Backend Serving(std::string_view address, uint16_t port) {
    return {.address = Ip(address), .port = port, .in_cluster_list = true};
  }
  static Backend Draining(std::string_view address, uint16_t port) {
    return {.address = Ip(address), .port = port};
  }
  static ServicePortStatePtr Port(std::vector<Frontend> frontends, std::vector<Backend> backends) {
    return std::make_shared<const ServicePortState>(
        ServicePortState{.frontends = std::move(frontends), .backends = std::move(backends)});
  }

  // 10.0.0.0 and the addresses that follow.
  static std::vector<Backend> ManyBackends(size_t count) {
    std::vector<Backend> backends;
    IpAddress::Bytes bytes = Ip("10.0.0.0").bytes();
    for (size_t i = 0; i < count; ++i) {
      bytes[13] = static_cast<uint8_t>(i >> 16);
      bytes[14] = static_cast<uint8_t>(i >> 8);
      bytes[15] = static_cast<uint8_t>(i);
      backends.push_back({.address = IpAddress(bytes), .port = 8080, .in_cluster_list = true});
    }
    return backends;
  }

  // Two Services in shop: web with a TCP port, dns without backends.
  static DatapathState Shop() {
    return {{{"shop", "dns", "", SHUNT_UDP}, Port({Dialled("10.96.0.11", 53, SHUNT_UDP)}, {})},
            {{"shop", "web", "http", SHUNT_TCP},
             Port({Dialled("10.96.0.10", 80), Dialled("fd00::10", 80)},
                  {Draining("10.244.1.4", 8080), Serving("10.244.1.5", 8080),
                   Serving("10.244.2.7", 8080), Serving("fd00:1::5", 8080)})}};
  }

  std::string directory_;
  std::string socket_;
  FakeViewSource agent_;
  std::unique_ptr<ApiServer> server_;
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_API_API_FIXTURE_H_
