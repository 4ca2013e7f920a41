// SPDX-License-Identifier: Apache-2.0
#include "userspace/metrics/kernel_metrics.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "userspace/base/ip_address.h"
#include "userspace/base/status.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

// By enum shunt_hook.
constexpr std::array<const char*, SHUNT_HOOK_COUNT> kHooks = {
    "connect4", "connect6",     "sendmsg4",     "sendmsg6", "recvmsg4",
    "recvmsg6", "getpeername4", "getpeername6", "ingress",  "egress"};

Family FamilyOf(const shunt_addr& address) {
  IpAddress::Bytes bytes;
  std::copy(std::begin(address.bytes), std::end(address.bytes), bytes.begin());
  return IpAddress(bytes).family();
}

const char* KindLabel(shunt_frontend_kind kind) {
  switch (kind) {
    case SHUNT_CLUSTER_IP:
      return "cluster_ip";
    case SHUNT_OTHER_PORTS:
      return "other_ports";
    case SHUNT_LOAD_BALANCER_IP:
      return "load_balancer_ip";
    case SHUNT_EXTERNAL_IP:
      return "external_ip";
    case SHUNT_NODE_PORT:
      return "node_port";
  }
  return "unknown";
}

std::string FamilyLabel(Family family) { return std::string(FamilyName(family)); }

void AddMaps(const std::vector<MapInfo>& maps, MetricFamilies& families) {
  auto entries = GaugeFamily("shunt_bpf_map_entries", "Entries in use, counted.");
  auto limits = GaugeFamily("shunt_bpf_map_max_entries", "Entries that there is room for.");
  auto pressure = GaugeFamily("shunt_bpf_map_pressure", "Part of the room that is in use, 0 to 1.");
  auto memory = GaugeFamily("shunt_bpf_map_memory_bytes", "Memory that the kernel charges.");
  for (const MapInfo& map : maps) {
    const MetricLabels labels = {{"map", map.name}};
    AddSeries(memory, labels, static_cast<double>(map.memory_bytes));
    if (map.max_entries == 0) continue;
    AddSeries(limits, labels, static_cast<double>(map.max_entries));
    if (!map.entries) continue;
    AddSeries(entries, labels, static_cast<double>(*map.entries));
    AddSeries(pressure, labels,
              static_cast<double>(*map.entries) / static_cast<double>(map.max_entries));
  }
  for (auto* family : {&entries, &limits, &pressure, &memory}) {
    families.push_back(std::move(*family));
  }
}

void AddFrontends(const KernelSample& sample, MetricFamilies& families) {
  absl::btree_map<std::pair<std::string, std::string>, uint64_t> counts;
  for (const auto& [key, value] : sample.frontends) {
    ++counts[{FamilyLabel(FamilyOf(key.address)), KindLabel(value.kind)}];
  }
  auto frontends = GaugeFamily("shunt_frontends", "Addresses and ports that are served.");
  for (const auto& [labels, count] : counts) {
    AddSeries(frontends, {{"ip_family", labels.first}, {"type", labels.second}},
              static_cast<double>(count));
  }
  auto backends = GaugeFamily("shunt_backends", "Backends of service ports.");
  AddSeries(backends, {{"ip_family", "IPv4"}}, static_cast<double>(sample.ipv4_backends));
  AddSeries(backends, {{"ip_family", "IPv6"}}, static_cast<double>(sample.ipv6_backends));
  families.push_back(std::move(frontends));
  families.push_back(std::move(backends));
}

void AddVerdicts(const VerdictCounters& verdicts, MetricFamilies& families) {
  auto family = CounterFamily("shunt_socket_verdicts_total",
                              "Runs of the socket programs, by hook and what became of them.");
  for (size_t verdict = 0; verdict < verdicts.size(); ++verdict) {
    const std::string name(VerdictName(static_cast<shunt_verdict>(verdict)));
    for (size_t hook = 0; hook < kHooks.size(); ++hook) {
      AddSeries(family, {{"hook", kHooks[hook]}, {"verdict", name}},
                static_cast<double>(verdicts[verdict][hook]));
    }
  }
  families.push_back(std::move(family));
}

bool IsTranslation(shunt_verdict verdict) {
  return verdict == SHUNT_TRANSLATED || verdict == SHUNT_CONTINUED || verdict == SHUNT_RESTORED;
}

// As lib/verdict.h has it of a packet.
bool IsDrop(shunt_verdict verdict) {
  return verdict == SHUNT_NO_LOCAL_ENDPOINT || verdict == SHUNT_SOURCE_DENIED ||
         verdict == SHUNT_NO_MEMORY || verdict == SHUNT_RACED;
}

// The same counts, summed up as dashboards want them.
void AddSums(const VerdictCounters& verdicts, MetricFamilies& families) {
  std::array<uint64_t, SHUNT_HOOK_COUNT> translated = {};
  auto dropped = CounterFamily("shunt_dropped_packets_total",
                               "Packets that were dropped at devices, by the reason.");
  for (size_t i = 0; i < verdicts.size(); ++i) {
    const auto verdict = static_cast<shunt_verdict>(i);
    for (size_t hook = 0; IsTranslation(verdict) && hook < kHooks.size(); ++hook) {
      translated[hook] += verdicts[i][hook];
    }
    if (!IsDrop(verdict)) continue;
    AddSeries(dropped, {{"reason", std::string(VerdictName(verdict))}},
              static_cast<double>(verdicts[i][SHUNT_INGRESS] + verdicts[i][SHUNT_EGRESS]));
  }
  auto translations = CounterFamily(
      "shunt_translations_total", "Addresses that were translated, in either direction, by hook.");
  for (size_t hook = 0; hook < kHooks.size(); ++hook) {
    AddSeries(translations, {{"hook", kHooks[hook]}}, static_cast<double>(translated[hook]));
  }
  families.push_back(std::move(dropped));
  families.push_back(std::move(translations));
}

// Service ports that have endpoints, but none on this node where only those
// would do. Of kube-proxy, with its name: a gauge in spite of "_total".
void AddNoLocalEndpoints(const KernelSample& sample, MetricFamilies& families) {
  absl::btree_map<std::pair<std::string, std::string>, absl::btree_set<uint32_t>> services;
  for (const char* policy : {"external", "internal"}) {
    for (const char* family : {"IPv4", "IPv6"}) services[{policy, family}];
  }
  for (const auto& [key, value] : sample.frontends) {
    if (value.when_empty != SHUNT_NO_LOCAL_ENDPOINT || value.slots.count > 0) continue;
    const char* policy = value.kind == SHUNT_CLUSTER_IP ? "internal" : "external";
    services[{policy, FamilyLabel(FamilyOf(key.address))}].insert(value.owner.service_id);
  }
  auto family =
      GaugeFamily("kubeproxy_sync_proxy_rules_no_local_endpoints_total",
                  "[ALPHA] Number of services with a Local traffic policy and no endpoints");
  for (const auto& [labels, ids] : services) {
    AddSeries(family, {{"ip_family", labels.second}, {"traffic_policy", labels.first}},
              static_cast<double>(ids.size()));
  }
  families.push_back(std::move(family));
}

void AddPrograms(const std::vector<ProgramInfo>& programs, MetricFamilies& families) {
  auto family = GaugeFamily("shunt_bpf_program_verified_instructions",
                            "Instructions that the kernel's verifier went through.");
  for (const ProgramInfo& program : programs) {
    AddSeries(family, {{"program", program.name}},
              static_cast<double>(program.verified_instructions));
  }
  families.push_back(std::move(family));
}

void AddAffinity(const AffinityCounts& affinity, MetricFamilies& families) {
  auto family = CounterFamily("shunt_affinity_evictions_total",
                              "Clients whose backend was forgotten to make room for others.");
  AddSeries(family, {}, static_cast<double>(affinity.evicted));
  families.push_back(std::move(family));
}

}  // namespace

absl::StatusOr<KernelSample> ReadKernel(const std::string& bpffs) {
  KernelSample sample;
  SHUNT_ASSIGN_OR_RETURN(sample.maps, InspectMaps(bpffs));
  SHUNT_ASSIGN_OR_RETURN(sample.verdicts, ReadCounters(bpffs));
  SHUNT_ASSIGN_OR_RETURN(sample.affinity, CountAffinity(bpffs));
  SHUNT_ASSIGN_OR_RETURN(const std::unique_ptr<MapStore> maps, OpenPinnedMaps(bpffs));
  SHUNT_ASSIGN_OR_RETURN(sample.frontends, maps->Frontends());
  for (const shunt_backend& backend : maps->backends()) {
    if (backend.state == SHUNT_BACKEND_FREE) continue;
    ++(FamilyOf(backend.address) == Family::kIpv4 ? sample.ipv4_backends : sample.ipv6_backends);
  }
  // Not attached yet: no programs.
  if (auto programs = InspectPrograms(bpffs); programs.ok()) {
    sample.programs = *std::move(programs);
  }
  return sample;
}

MetricFamilies KernelFamilies(const KernelSample& sample) {
  MetricFamilies families;
  AddMaps(sample.maps, families);
  AddFrontends(sample, families);
  AddVerdicts(sample.verdicts, families);
  AddSums(sample.verdicts, families);
  AddNoLocalEndpoints(sample, families);
  AddPrograms(sample.programs, families);
  AddAffinity(sample.affinity, families);
  return families;
}

}  // namespace shunt
