// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/conntrack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kDirectory[] = "/proc/sys/net/netfilter/";
constexpr char kHashSize[] = "/sys/module/nf_conntrack/parameters/hashsize";

ProxyConfig With(const std::map<std::string, std::string>& fields) {
  ProxyConfig config;
  for (const auto& [path, text] : fields) {
    config.Set(*FindConfigField(KubeProxyKind(), path), {.text = text});
  }
  return config;
}

KernelSetting Sysctl(const std::string& name, int64_t value) {
  return {.path = kDirectory + name, .value = value};
}

TEST(Conntrack, DefaultsAreKubeProxys) {
  EXPECT_THAT(ConntrackSettings(ProxyConfig(), 8),
              ElementsAre(Sysctl("nf_conntrack_max", 8 * 32768),
                          KernelSetting{.path = kHashSize, .value = 2 * 32768, .only_raise = true},
                          Sysctl("nf_conntrack_tcp_timeout_established", 86400),
                          Sysctl("nf_conntrack_tcp_timeout_close_wait", 3600)));
}

TEST(Conntrack, FewCpusGetTheMinimumAndManyNoMoreThanAMillion) {
  EXPECT_EQ(ConntrackSettings(ProxyConfig(), 1)[0].value, 131072);
  EXPECT_EQ(ConntrackSettings(ProxyConfig(), 128)[0].value, 1 << 20);
}

TEST(Conntrack, ZeroLeavesTheSystemsValue) {
  EXPECT_THAT(ConntrackSettings(With({{"conntrack.maxPerCore", "0"},
                                      {"conntrack.tcpEstablishedTimeout", "0s"},
                                      {"conntrack.tcpCloseWaitTimeout", "0s"}}),
                                8),
              IsEmpty());
}

TEST(Conntrack, WhatIsSetIsWritten) {
  const auto settings = ConntrackSettings(With({{"conntrack.maxPerCore", "0"},
                                                {"conntrack.tcpEstablishedTimeout", "0s"},
                                                {"conntrack.tcpCloseWaitTimeout", "0s"},
                                                {"conntrack.udpTimeout", "10s"},
                                                {"conntrack.udpStreamTimeout", "2m"},
                                                {"conntrack.tcpBeLiberal", "true"}}),
                                          8);
  EXPECT_THAT(settings, ElementsAre(Sysctl("nf_conntrack_udp_timeout", 10),
                                    Sysctl("nf_conntrack_udp_timeout_stream", 120),
                                    Sysctl("nf_conntrack_tcp_be_liberal", 1)));
}

// A host of files.
class ConntrackFiles : public ::testing::Test {
 protected:
  ConntrackFiles() {
    char path[] = "/tmp/shunt-sysctl-XXXXXX";
    root_ = mkdtemp(path);
  }
  ~ConntrackFiles() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, int64_t value) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << value;
  }
  int64_t Read(const std::string& path) {
    int64_t value = -1;
    std::ifstream(root_ + path) >> value;
    return value;
  }

  std::string root_;
};

TEST_F(ConntrackFiles, TheTableIsSetAndItsBucketsAreOnlyEverMore) {
  const std::string max = std::string(kDirectory) + "nf_conntrack_max";
  Write(max, 1 << 20);
  Write(kHashSize, 1 << 18);
  ApplySettings(root_, ConntrackSettings(ProxyConfig(), 8));
  EXPECT_EQ(Read(max), 8 * 32768);
  EXPECT_EQ(Read(kHashSize), 1 << 18);
  Write(kHashSize, 1024);
  ApplySettings(root_, ConntrackSettings(ProxyConfig(), 8));
  EXPECT_EQ(Read(kHashSize), 2 * 32768);
}

TEST_F(ConntrackFiles, WithoutConntrackNothingIsWritten) {
  std::filesystem::create_directories(root_ + kDirectory);
  ApplySettings(root_, ConntrackSettings(ProxyConfig(), 8));
  EXPECT_TRUE(std::filesystem::is_empty(root_ + kDirectory));
}

}  // namespace
}  // namespace shunt
