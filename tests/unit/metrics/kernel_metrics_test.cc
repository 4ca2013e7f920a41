// SPDX-License-Identifier: Apache-2.0
#include "userspace/metrics/kernel_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

#include "absl/strings/str_split.h"
#include "userspace/state/datapath_state.h"

namespace shunt {
namespace {

using testing::Contains;

std::vector<std::string> Lines(const KernelSample& sample) {
  return absl::StrSplit(prometheus::TextSerializer().Serialize(KernelFamilies(sample)), '\n');
}

MapStore::FrontendEntry EntryOf(const char* address, shunt_frontend_kind kind,
                                uint32_t service_id = 1) {
  const FrontendKey key = {.address = *IpAddress::Parse(address), .port = 80};
  shunt_frontend value = {};
  value.kind = kind;
  value.owner.service_id = service_id;
  value.slots.count = 1;
  return {key.ToAbi(), value};
}

MapStore::FrontendEntry WithoutLocal(MapStore::FrontendEntry entry) {
  entry.second.slots.count = 0;
  entry.second.when_empty = SHUNT_NO_LOCAL_ENDPOINT;
  return entry;
}

TEST(KernelFamilies, MapsShowHowFullTheyAre) {
  const std::vector<std::string> lines = Lines(
      {.maps = {
           {.name = "shunt_frontends", .entries = 25, .max_entries = 100, .memory_bytes = 4096},
           {.name = "shunt_socket", .memory_bytes = 512}}});
  for (const char* line : {R"(shunt_bpf_map_entries{map="shunt_frontends"} 25)",
                           R"(shunt_bpf_map_max_entries{map="shunt_frontends"} 100)",
                           R"(shunt_bpf_map_pressure{map="shunt_frontends"} 0.25)",
                           R"(shunt_bpf_map_memory_bytes{map="shunt_frontends"} 4096)",
                           R"(shunt_bpf_map_memory_bytes{map="shunt_socket"} 512)"}) {
    EXPECT_THAT(lines, Contains(std::string(line)));
  }
}

TEST(KernelFamilies, FrontendsAreCountedByFamilyAndType) {
  const std::vector<std::string> lines = Lines(
      {.frontends = {EntryOf("10.96.0.1", SHUNT_CLUSTER_IP), EntryOf("10.96.0.2", SHUNT_CLUSTER_IP),
                     EntryOf("fd00::1", SHUNT_NODE_PORT)},
       .ipv4_backends = 3,
       .ipv6_backends = 1});
  for (const char* line :
       {R"(shunt_frontends{ip_family="IPv4",type="cluster_ip"} 2)",
        R"(shunt_frontends{ip_family="IPv6",type="node_port"} 1)",
        R"(shunt_backends{ip_family="IPv4"} 3)", R"(shunt_backends{ip_family="IPv6"} 1)"}) {
    EXPECT_THAT(lines, Contains(std::string(line)));
  }
}

TEST(KernelFamilies, ServicesWithoutLocalEndpointsAreCountedOnceForEachPolicy) {
  const std::vector<std::string> lines =
      Lines({.frontends = {WithoutLocal(EntryOf("10.96.0.1", SHUNT_CLUSTER_IP)),
                           WithoutLocal(EntryOf("192.0.2.1", SHUNT_NODE_PORT)),
                           WithoutLocal(EntryOf("192.0.2.2", SHUNT_NODE_PORT)),
                           EntryOf("192.0.2.3", SHUNT_EXTERNAL_IP, 2)}});
  const std::string name = "kubeproxy_sync_proxy_rules_no_local_endpoints_total";
  for (const char* series : {R"({ip_family="IPv4",traffic_policy="internal"} 1)",
                             R"({ip_family="IPv4",traffic_policy="external"} 1)",
                             R"({ip_family="IPv6",traffic_policy="external"} 0)"}) {
    EXPECT_THAT(lines, Contains(name + series));
  }
}

TEST(KernelFamilies, PacketsThatWereDroppedAndTranslationsAreSummedUp) {
  KernelSample sample;
  sample.verdicts[SHUNT_SOURCE_DENIED][SHUNT_INGRESS] = 3;
  sample.verdicts[SHUNT_SOURCE_DENIED][SHUNT_CONNECT4] = 5;  // no packet
  sample.verdicts[SHUNT_NO_MEMORY][SHUNT_INGRESS] = 1;
  sample.verdicts[SHUNT_NO_MEMORY][SHUNT_EGRESS] = 1;
  sample.verdicts[SHUNT_NO_ENDPOINT][SHUNT_INGRESS] = 9;  // refused
  sample.verdicts[SHUNT_TRANSLATED][SHUNT_INGRESS] = 2;
  sample.verdicts[SHUNT_CONTINUED][SHUNT_INGRESS] = 20;
  sample.verdicts[SHUNT_RESTORED][SHUNT_EGRESS] = 22;
  const std::vector<std::string> lines = Lines(sample);
  for (const char* line : {R"(shunt_dropped_packets_total{reason="source_denied"} 3)",
                           R"(shunt_dropped_packets_total{reason="no_memory"} 2)",
                           R"(shunt_dropped_packets_total{reason="raced"} 0)",
                           R"(shunt_translations_total{hook="ingress"} 22)",
                           R"(shunt_translations_total{hook="egress"} 22)",
                           R"(shunt_translations_total{hook="connect4"} 0)"}) {
    EXPECT_THAT(lines, Contains(std::string(line)));
  }
  EXPECT_THAT(lines, testing::Not(Contains(testing::HasSubstr("reason=\"no_endpoint"))));
}

TEST(KernelFamilies, EveryVerdictOfEveryHookIsThere) {
  KernelSample sample;
  sample.verdicts[SHUNT_TRANSLATED][SHUNT_CONNECT4] = 42;
  sample.affinity.evicted = 5;
  const std::vector<std::string> lines = Lines(sample);
  EXPECT_THAT(lines,
              Contains(std::string(
                  R"(shunt_socket_verdicts_total{hook="connect4",verdict="translated"} 42)")));
  EXPECT_THAT(lines, Contains(std::string("shunt_affinity_evictions_total 5")));
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& line) {
                            return line.rfind("shunt_socket_verdicts_total{", 0) == 0;
                          }),
            int{SHUNT_VERDICT_COUNT} * int{SHUNT_HOOK_COUNT});
}

}  // namespace
}  // namespace shunt
