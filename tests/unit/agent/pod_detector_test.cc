// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/pod_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "userspace/config/load.h"

namespace shunt {
namespace {

IpAddress Ip(const char* text) { return IpAddress::Parse(text).value(); }

ProxyConfig Config(const std::string& lines) {
  const std::string text =
      "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n" + lines;
  LoadedConfig loaded = LoadProxyConfig({{"proxy.yaml", text}});
  CompleteConfig(loaded);
  EXPECT_TRUE(loaded.errors.empty());
  return loaded.config;
}

// What counts for an address: the longest range that it is in.
shunt_origin OriginOf(const std::vector<PacketOrigin>& origins, const char* address) {
  shunt_origin best = SHUNT_ORIGIN_UNKNOWN;
  int length = -1;
  for (const PacketOrigin& origin : origins) {
    if (origin.range.Contains(Ip(address)) && origin.range.prefix_length() > length) {
      best = origin.origin;
      length = origin.range.prefix_length();
    }
  }
  return best;
}

Node NodeWith(const std::vector<const char*>& pod_ranges) {
  Node node;
  for (const char* range : pod_ranges) node.pod_cidrs.push_back(Cidr::Parse(range).value());
  return node;
}

TEST(PodDetector, TakesTheFirstRangeOfEachFamily) {
  const PodDetector detector = PodDetectorOf(Config("clusterCIDR: 10.244.0.0/16,fd44::/16\n"));
  const std::vector<PacketOrigin> origins = PacketOrigins(detector, {Ip("192.0.2.1")}, nullptr);
  EXPECT_EQ(OriginOf(origins, "10.244.3.4"), SHUNT_ORIGIN_POD);
  EXPECT_EQ(OriginOf(origins, "fd44::4"), SHUNT_ORIGIN_POD);
  EXPECT_EQ(OriginOf(origins, "192.0.2.1"), SHUNT_ORIGIN_HOST);
  EXPECT_EQ(OriginOf(origins, "192.0.2.9"), SHUNT_ORIGIN_OUTSIDE);
  EXPECT_EQ(OriginOf(origins, "2001:db8::9"), SHUNT_ORIGIN_OUTSIDE);
}

TEST(PodDetector, SaysNothingOfOthersInAFamilyWithoutARange) {
  const PodDetector detector = PodDetectorOf(Config("clusterCIDR: fd44::/16\n"));
  const std::vector<PacketOrigin> origins = PacketOrigins(detector, {}, nullptr);
  EXPECT_EQ(OriginOf(origins, "192.0.2.9"), SHUNT_ORIGIN_UNKNOWN);
  EXPECT_EQ(OriginOf(origins, "2001:db8::9"), SHUNT_ORIGIN_OUTSIDE);
}

TEST(PodDetector, WithoutAConfigurationKnowsThePodsOfThisNode) {
  const Node node = NodeWith({"10.244.1.0/24"});
  const std::vector<PacketOrigin> origins = PacketOrigins(PodDetectorOf(Config("")), {}, &node);
  EXPECT_EQ(OriginOf(origins, "10.244.1.4"), SHUNT_ORIGIN_POD);
  EXPECT_EQ(OriginOf(origins, "10.244.2.4"), SHUNT_ORIGIN_UNKNOWN);
}

TEST(PodDetector, OfTheNodesRangesFollowsTheNode) {
  const PodDetector detector = PodDetectorOf(Config("detectLocalMode: NodeCIDR\n"));
  EXPECT_EQ(OriginOf(PacketOrigins(detector, {}, nullptr), "10.244.1.4"), SHUNT_ORIGIN_UNKNOWN);
  const Node node = NodeWith({"10.244.1.0/24"});
  const std::vector<PacketOrigin> origins = PacketOrigins(detector, {}, &node);
  EXPECT_EQ(OriginOf(origins, "10.244.1.4"), SHUNT_ORIGIN_POD);
  EXPECT_EQ(OriginOf(origins, "10.244.2.4"), SHUNT_ORIGIN_OUTSIDE);
}

TEST(PodDetector, OfDevicesKnowsThemByName) {
  const PodDetector bridge = PodDetectorOf(
      Config("detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}\n"));
  EXPECT_TRUE(bridge.IsOfPods("cni0"));
  EXPECT_FALSE(bridge.IsOfPods("cni01"));
  EXPECT_EQ(OriginOf(PacketOrigins(bridge, {}, nullptr), "10.244.1.4"), SHUNT_ORIGIN_OUTSIDE);
  const PodDetector prefix = PodDetectorOf(
      Config("detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: cali}\n"));
  EXPECT_TRUE(prefix.IsOfPods("cali123"));
  EXPECT_FALSE(prefix.IsOfPods("eth0"));
  EXPECT_FALSE(PodDetectorOf(Config("")).IsOfPods(""));
}

}  // namespace
}  // namespace shunt
