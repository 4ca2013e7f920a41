// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/packet_devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shunt {
namespace {

IpAddress Ip(const char* text) { return IpAddress::Parse(text).value(); }

HostAddresses Host() {
  HostAddresses host;
  host.devices = {
      {.index = 1, .name = "lo", .is_up = true, .is_loopback = true, .addresses = {Ip("10.9.9.9")}},
      {.index = 2,
       .name = "eth0",
       .is_up = true,
       .addresses = {Ip("192.0.2.1"), Ip("192.0.2.2"), Ip("2001:db8::1")}},
      {.index = 3, .name = "eth1", .is_up = true},
      {.index = 4, .name = "eth2", .is_up = false, .addresses = {Ip("192.0.2.3")}},
      {.index = 5,
       .name = "wg0",
       .is_up = true,
       .has_link_header = false,
       .addresses = {Ip("10.0.0.1")}}};
  return host;
}

TEST(PacketDevices, AreThoseThatAreUpAndCanBeReached) {
  EXPECT_EQ(NamesOf(PacketDevices({}, {}, Host())), "eth0,wg0");
}

TEST(PacketDevices, HaveTheirMainAddressOfEachFamily) {
  const std::vector<PacketDevice> devices = PacketDevices({}, {}, Host());
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(devices[0].address4, Ip("192.0.2.1"));
  EXPECT_EQ(devices[0].address6, Ip("2001:db8::1"));
  EXPECT_TRUE(devices[0].has_link_header);
  EXPECT_EQ(devices[1].address4, Ip("10.0.0.1"));
  EXPECT_EQ(devices[1].address6, Ip("2001:db8::1"));  // it has none of its own
  EXPECT_FALSE(devices[1].has_link_header);
}

TEST(PacketDevices, ThatAreNamedAreTakenAsTheyAreButForLoopback) {
  EXPECT_EQ(NamesOf(PacketDevices({"eth*"}, {}, Host())), "eth0,eth1,eth2");
  EXPECT_EQ(NamesOf(PacketDevices({"eth1", "wg0"}, {}, Host())), "eth1,wg0");
  EXPECT_EQ(NamesOf(PacketDevices({"*"}, {}, Host())), "eth0,eth1,eth2,wg0");
  EXPECT_EQ(NamesOf(PacketDevices({"none"}, {}, Host())), "");
}

TEST(PacketDevices, OfPodsAreThoseThatTheDetectorNames) {
  const PodDetector detector = {.mode = PodDetector::Mode::kDevicePrefix, .device = "wg"};
  const std::vector<PacketDevice> devices = PacketDevices({}, detector, Host());
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_FALSE(devices[0].is_of_pods);
  EXPECT_TRUE(devices[1].is_of_pods);
}

}  // namespace
}  // namespace shunt
