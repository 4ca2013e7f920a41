// SPDX-License-Identifier: Apache-2.0
#include "userspace/metrics/agent_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_split.h"

namespace shunt {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const absl::Time kStart = absl::FromUnixSeconds(1'763'881'200);

std::vector<std::string> Lines(const AgentMetrics& metrics) {
  return absl::StrSplit(metrics.Text({}), '\n');
}

TEST(AgentMetrics, SyncsHaveKubeProxysNamesLabelsAndBuckets) {
  AgentMetrics metrics("1.2.3", kStart);
  metrics.Applied({.took = absl::Milliseconds(3), .complete = true}, {}, kStart);
  metrics.Applied({.took = absl::Milliseconds(1)}, {}, kStart + absl::Seconds(1));
  metrics.UpToDate(kStart + absl::Seconds(1));
  metrics.Queued(kStart + absl::Seconds(2));
  const std::vector<std::string> lines = Lines(metrics);
  for (
      const char* line : {
          R"(kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family="IPv4"} 2)",
          R"(kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family="IPv6"} 2)",
          R"(kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="0.001"} 1)",
          R"(kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="16.384"} 2)",
          R"(kubeproxy_sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"} 1)",
          R"(kubeproxy_sync_partial_proxy_rules_duration_seconds_count{ip_family="IPv6"} 1)",
          R"(kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"} 1763881201)",
          R"(kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family="IPv4"} 1763881202)",
      }) {
    EXPECT_THAT(lines, Contains(std::string(line)));
  }
}

// Such as an object that became another problem. It is no sync, and yet done.
TEST(AgentMetrics, WhatIsQueuedAndConcernsNotTheKernelDoesNotLookStuck) {
  AgentMetrics metrics("1.2.3", kStart);
  metrics.Queued(kStart + absl::Seconds(2));
  metrics.UpToDate(kStart + absl::Seconds(3));
  const std::vector<std::string> lines = Lines(metrics);
  EXPECT_THAT(lines, Contains(R"(kubeproxy_sync_proxy_rules_last_timestamp_seconds)"
                              R"({ip_family="IPv4"} 1763881203)"));
  EXPECT_THAT(lines,
              Contains(R"(kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family="IPv4"} 0)"));
}

TEST(AgentMetrics, ProgrammingLatencyHasKubeProxysBuckets) {
  AgentMetrics metrics("1.2.3", kStart);
  EndpointSlice slice;
  slice.trigger_time = kStart + absl::Seconds(1);
  const ServiceInput input = {.service = std::make_shared<const Service>(),
                              .slices = {std::make_shared<const EndpointSlice>(slice)}};
  metrics.Applied({}, {.services = {{{"shop", "web"}, input}}}, kStart + absl::Seconds(62));
  const std::vector<std::string> lines = Lines(metrics);
  const std::string name = "kubeproxy_network_programming_duration_seconds_bucket";
  for (const char* series :
       {R"({ip_family="IPv4",le="0.25"} 0)", R"({ip_family="IPv4",le="0.5"} 0)",
        R"({ip_family="IPv4",le="1"} 0)", R"({ip_family="IPv4",le="59"} 0)",
        R"({ip_family="IPv4",le="60"} 0)", R"({ip_family="IPv4",le="65"} 1)",
        R"({ip_family="IPv4",le="115"} 1)", R"({ip_family="IPv4",le="120"} 1)",
        R"({ip_family="IPv4",le="150"} 1)", R"({ip_family="IPv4",le="300"} 1)",
        R"({ip_family="IPv6",le="+Inf"} 0)"}) {
    EXPECT_THAT(lines, Contains(name + series));
  }
  // 2, 59, 12 and 7, and infinity, for each family.
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [&name](const std::string& line) { return line.rfind(name, 0) == 0; }),
            2 * 81);
}

TEST(AgentMetrics, HealthAnswersAreCountedByCode) {
  AgentMetrics metrics("1.2.3", kStart);
  metrics.Answered("/healthz", 503);
  metrics.Answered("/healthz", 503);
  metrics.Answered("/livez", 200);
  EXPECT_THAT(Lines(metrics), Contains(R"(kubeproxy_proxy_healthz_total{code="503"} 2)"));
  EXPECT_THAT(Lines(metrics), Contains(R"(kubeproxy_proxy_livez_total{code="200"} 1)"));
}

TEST(AgentMetrics, WhatTheKernelDidNotTakeIsSeen) {
  AgentMetrics metrics("1.2.3", kStart);
  metrics.Applied({.writes = 7, .pending = 2}, {}, kStart);
  metrics.SetProblems(3);
  metrics.UpToDate(kStart);
  const std::vector<std::string> lines = Lines(metrics);
  for (const char* line : {"shunt_bpf_map_writes_total 7", "shunt_pending_service_ports 2",
                           "shunt_reconcile_errors_total 1", "shunt_invalid_objects 3",
                           "shunt_synced 1", R"(shunt_build_info{version="1.2.3"} 1)"}) {
    EXPECT_THAT(lines, Contains(std::string(line)));
  }
}

TEST(AgentMetrics, TheProcessIsShownAsItIs) {
  const AgentMetrics metrics("1.2.3", kStart);
  const std::string text = metrics.Text({});
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                           "process_virtual_memory_bytes", "process_start_time_seconds",
                           "process_open_fds", "process_max_fds"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name + " "));
    EXPECT_THAT(text, Not(HasSubstr(std::string("\n") + name + " 0\n"))) << name;
  }
}

}  // namespace
}  // namespace shunt
